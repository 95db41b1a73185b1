-- $1 fine, $2 caller, $3 caller is admin
SELECT hide_fine($1, $2, $3) AS outcome
