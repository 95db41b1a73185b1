-- $1 order, $2 status, $3 caller, $4 caller is admin
SELECT outcome, shown.*
FROM move_order($1, $2, $3, $4)
CROSS JOIN LATERAL show_order(subject) AS shown
