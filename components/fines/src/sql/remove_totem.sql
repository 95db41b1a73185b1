-- $1 id, $2 caller, $3 caller is admin
SELECT remove_totem($1, $2, $3) AS outcome
