-- $1 shop, $2 caller, $3 caller is admin, $4 limit, $5 offset
WITH asked AS MATERIALIZED (
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM shop WHERE id = $1) THEN 'unknown_shop'
        WHEN NOT may($1, $2, $3, 'edit_coupons') THEN 'forbidden'
        ELSE 'listed'
    END AS outcome
)
SELECT outcome, listed.*
FROM asked
LEFT JOIN (
    SELECT id, code, percent, amount, min_amount, max_uses, used, millis(valid_until) AS valid_until
    FROM coupon
    WHERE shop_id = $1 AND deleted_at IS NULL
    ORDER BY coupon.id DESC
    LIMIT $4::bigint OFFSET $5::bigint
) AS listed ON outcome = 'listed'
ORDER BY listed.id DESC
