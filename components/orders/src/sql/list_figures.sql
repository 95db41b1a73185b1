-- $1 shop, $2 caller, $3 caller is admin, $4 and $5 the first and the last day
WITH asked AS MATERIALIZED (
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM shop WHERE id = $1) THEN 'unknown_shop'
        WHEN NOT may($1, $2, $3, 'see_figures') THEN 'forbidden'
        ELSE 'listed'
    END AS outcome
)
SELECT outcome, listed.orders AS id, listed.*
FROM asked
LEFT JOIN (
    SELECT to_char(day, 'YYYY-MM-DD') AS day, count(*) AS orders, sum(amount - refunded)::bigint AS revenue,
        (percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ready_at - paid_at)))::bigint
            AS waiting_p50_seconds,
        (percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM ready_at - paid_at)))::bigint
            AS waiting_p90_seconds,
        (
            SELECT coalesce(jsonb_agg(best), '[]')
            FROM (
                SELECT product_id, max(item.name) AS name, sum(quantity - item.refunded) AS quantity
                FROM customer_order AS sold
                JOIN item ON item.order_id = sold.id
                WHERE sold.shop_id = $1 AND sold.day = per_day.day AND sold.paid_at IS NOT NULL
                    AND sold.status NOT IN ('rejected', 'refunded')
                GROUP BY product_id
                ORDER BY quantity DESC, product_id
                LIMIT 10
            ) AS best
        ) AS best_sellers
    FROM customer_order AS per_day
    WHERE shop_id = $1 AND day BETWEEN $4::text::date AND $5::text::date AND paid_at IS NOT NULL
    GROUP BY day
) AS listed ON outcome = 'listed'
ORDER BY listed.day
