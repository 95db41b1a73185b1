-- $1 fine, $2 caller, $3 caller is admin, $4 text
SELECT outcome, shown.*
FROM add_message($1, $2, $3, $4)
CROSS JOIN LATERAL show_appeal(subject) AS shown
