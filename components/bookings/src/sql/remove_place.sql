-- $1 id, $2 caller, $3 caller is admin
SELECT place_remove($1, $2, $3) AS outcome
