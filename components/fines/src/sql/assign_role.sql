-- $1 zone, $2 caller, $3 caller is admin, $4 their login, $5 user, $6 the user's login, $7 role
SELECT outcome, shown.*
FROM assign_role($1, $2, $3, $4, $5, $6, $7)
CROSS JOIN LATERAL show_role(subject) AS shown
