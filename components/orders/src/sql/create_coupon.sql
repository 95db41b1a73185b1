-- $1 shop, $2 caller, $3 caller is admin, $4 code, $5 percent, $6 amount, $7 lowest price, $8 uses, $9 end
WITH asked AS (
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM shop WHERE id = $1) THEN 'unknown_shop'
        WHEN NOT may($1, $2, $3, 'edit_coupons') THEN 'forbidden'
        ELSE 'created'
    END AS outcome
), made AS (
    INSERT INTO coupon (shop_id, code, percent, amount, min_amount, max_uses, valid_until)
    SELECT $1, upper($4), $5, $6, $7, $8, moment($9)
    FROM asked
    WHERE outcome = 'created'
    RETURNING *
)
SELECT outcome, made.id, made.code, made.percent, made.amount, made.min_amount, made.max_uses, made.used,
    millis(made.valid_until) AS valid_until
FROM asked
LEFT JOIN made ON true
