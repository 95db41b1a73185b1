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
    -- Their clients know transactions by whole numbers.
    leg.seq AS id,
    leg.kind,
    leg.amount,
    CASE WHEN leg.kind IN ('payment', 'refund') THEN leg.reference END AS booking_id,
    -- The reference of a claim is the code; a code that a user paid for has the id of the transfer.
    CASE leg.kind WHEN 'promo_activation' THEN leg.reference WHEN 'promo_generation' THEN promocode.code END AS code,
    leg.description,
    millis(leg.created_at) AS created_at
FROM leg
LEFT JOIN promocode ON leg.kind = 'promo_generation' AND promocode.id = leg.id
ORDER BY leg.seq DESC
LIMIT $3 OFFSET $4
