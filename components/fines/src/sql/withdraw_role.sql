-- $1 zone, $2 caller, $3 caller is admin, $4 login of the user
SELECT withdraw_role($1, $2, $3, $4) AS outcome
