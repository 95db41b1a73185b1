-- $1 shop, $2 caller, $3 caller is admin, $4 station
WITH asked AS MATERIALIZED (
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM shop WHERE id = $1) THEN 'unknown_shop'
        WHEN NOT may($1, $2, $3, 'see_orders') THEN 'forbidden'
        ELSE 'listed'
    END AS outcome
)
SELECT outcome, listed.product_id AS id, listed.*
FROM asked
LEFT JOIN (
    SELECT product_id, item.name,
        (SELECT coalesce(jsonb_agg(chosen -> 'name'), '[]') FROM jsonb_array_elements(item.choices) AS chosen) AS choices,
        item.station, sum(item.quantity - item.refunded)::bigint AS quantity
    FROM customer_order
    JOIN item ON item.order_id = customer_order.id
    WHERE customer_order.shop_id = $1 AND kitchen_rank IN (2, 3)
        AND ($4::text IS NULL OR item.station = $4)
    GROUP BY product_id, item.name, item.choices, item.station
    HAVING sum(item.quantity - item.refunded) > 0
    ORDER BY quantity DESC, item.name
    LIMIT 1000
) AS listed ON outcome = 'listed'
ORDER BY listed.quantity DESC, listed.name
