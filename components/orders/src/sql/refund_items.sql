-- $1 order, $2 caller, $3 caller is admin, $4 items, $5 id of the request
SELECT outcome, shown.*
FROM refund_items($1, $2, $3, $4, $5)
CROSS JOIN LATERAL show_order(subject) AS shown
