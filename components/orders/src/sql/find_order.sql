-- $1 order, $2 caller, $3 caller is admin
SELECT shown.*
FROM customer_order
CROSS JOIN LATERAL show_order(customer_order) AS shown
WHERE customer_order.id = $1 AND is_seen(customer_order, $2, $3)
