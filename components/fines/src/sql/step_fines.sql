-- $1 limit
SELECT step_fines($1)
