-- $1 shop, $2 caller, $3 caller is admin, $4 user, $5 role, $6 is given
SELECT assign_staff($1, $2, $3, $4, $5, $6) AS outcome
