-- $1 product, $2 caller, $3 caller is admin, $4 limit, $5 offset
WITH asked AS MATERIALIZED (
    SELECT CASE
        WHEN product.id IS NULL THEN 'unknown_product'
        WHEN NOT may(product.shop_id, $2, $3, 'see_stock') THEN 'forbidden'
        ELSE 'listed'
    END AS outcome
    FROM (VALUES (1)) AS once
    LEFT JOIN product ON product.id = $1
)
SELECT outcome, listed.*
FROM asked
LEFT JOIN (
    SELECT id, choice_id, change, stock, reason, order_id, actor, millis(created_at) AS created_at
    FROM movement
    WHERE product_id = $1
    ORDER BY movement.id DESC
    LIMIT $4::bigint OFFSET $5::bigint
) AS listed ON outcome = 'listed'
ORDER BY listed.id DESC
