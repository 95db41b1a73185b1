-- $1 fine, $2 caller, $3 caller is admin, $4 verdict, $5 reason
SELECT outcome, shown.*
FROM end_appeal($1, $2, $3, $4, $5)
CROSS JOIN LATERAL show_appeal(subject) AS shown
