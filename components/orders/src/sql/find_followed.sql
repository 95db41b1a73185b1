-- $1 link
SELECT shown.*
FROM customer_order
CROSS JOIN LATERAL show_order(customer_order) AS shown
WHERE customer_order.link = $1
