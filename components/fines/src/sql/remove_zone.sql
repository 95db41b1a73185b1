-- $1 id, $2 caller, $3 caller is admin
SELECT remove_zone($1, $2, $3) AS outcome
