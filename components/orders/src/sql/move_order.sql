-- $1 order, $2 status, $3 caller, $4 caller is admin, $5 the caller has taken the money at the counter
SELECT outcome, shown.*
FROM move_order($1, $2, $3, $4, $5)
CROSS JOIN LATERAL show_order(subject) AS shown
