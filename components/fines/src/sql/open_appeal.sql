-- $1 fine, $2 caller, $3 why
SELECT outcome, shown.*
FROM open_appeal($1, $2, $3)
CROSS JOIN LATERAL show_appeal(subject) AS shown
