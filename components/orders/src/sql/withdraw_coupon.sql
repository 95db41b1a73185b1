-- $1 shop, $2 caller, $3 caller is admin, $4 code
WITH asked AS (
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM shop WHERE id = $1) THEN 'unknown_shop'
        WHEN NOT may($1, $2, $3, 'edit_coupons') THEN 'forbidden'
        WHEN NOT EXISTS (SELECT FROM coupon WHERE shop_id = $1 AND code = upper($4) AND deleted_at IS NULL)
            THEN 'unknown_coupon'
        ELSE 'changed'
    END AS outcome
), withdrawn AS (
    UPDATE coupon SET deleted_at = now()
    FROM asked
    WHERE outcome = 'changed' AND shop_id = $1 AND code = upper($4) AND deleted_at IS NULL
)
SELECT outcome FROM asked
