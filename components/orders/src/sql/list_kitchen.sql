-- $1 shop, $2 caller, $3 caller is admin, $4 station, $5 limit, $6 offset
WITH asked AS MATERIALIZED (
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM shop WHERE id = $1) THEN 'unknown_shop'
        WHEN NOT may($1, $2, $3, 'see_orders') THEN 'forbidden'
        ELSE 'listed'
    END AS outcome
)
SELECT outcome, listed.id, listed.number AS pickup_number, listed.status,
    extract(epoch FROM now() - listed.paid_at)::bigint AS waiting_seconds,
    (
        -- As text: to make jsonb of it takes longer than all the rest.
        SELECT coalesce(json_agg(line), '[]')::text
        FROM (
            SELECT id, product_id, name, price, quantity, refunded, station, comment, choices
            FROM item
            WHERE order_id = listed.id AND ($4::text IS NULL OR station = $4)
            ORDER BY id
        ) AS line
    ) AS items
FROM asked
LEFT JOIN (
    SELECT id, number, status, paid_at, kitchen_rank
    FROM customer_order
    WHERE shop_id = $1 AND kitchen_rank IS NOT NULL
        AND ($4::text IS NULL
            OR EXISTS (SELECT FROM item WHERE item.order_id = customer_order.id AND item.station = $4))
    ORDER BY kitchen_rank, id
    LIMIT $5::bigint OFFSET $6::bigint
) AS listed ON outcome = 'listed'
ORDER BY listed.kitchen_rank, listed.id
