-- $1 owner, $2 currency, $3 limit, $4 offset
WITH mine AS (
    SELECT id FROM account WHERE kind = 'main' AND owner = $1 AND currency = $2
), leg AS (
    (
        SELECT id, seq, kind, reference, description, -amount AS amount, created_at FROM transfer
        WHERE debit = (SELECT id FROM mine)
        ORDER BY seq DESC LIMIT $3::bigint + $4::bigint
    )
    UNION ALL
    (
        SELECT id, seq, kind, reference, description, amount, created_at FROM transfer
        WHERE credit = (SELECT id FROM mine)
        ORDER BY seq DESC LIMIT $3::bigint + $4::bigint
    )
)
SELECT
    id,
    kind,
    amount,
    -- The reference of a promo code's transfer is the code.
    CASE WHEN kind IN ('payment', 'refund') THEN reference END AS booking_id,
    description,
    millis(created_at) AS created_at
FROM leg
ORDER BY seq DESC
LIMIT $3 OFFSET $4
