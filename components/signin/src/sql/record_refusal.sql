-- $1 account if there is one, $2 reason, $3 address, $4 request id
-- The name that was tried is not kept: people type passwords there.
SELECT write_refusal($1, $2, $3, $4)
