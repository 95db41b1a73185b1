-- $1 product, $2 choice, $3 caller, $4 caller is admin, $5 reason, $6 number
SELECT outcome, shown.*
FROM move_stock($1, $2, $3, $4, $5, $6)
CROSS JOIN LATERAL show_product(subject) AS shown
