-- $1 place, $2 caller, $3 caller is admin, $4 time zone, $5 opening hours, $6 blackouts, $7 hours until which a
-- cancellation is free, $8 percent that is kept at least, $9 what leaving late costs
SELECT set_rules($1, $2, $3, $4, $5, $6, $7, $8, $9) AS outcome
