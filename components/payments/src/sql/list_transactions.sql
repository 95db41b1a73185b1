-- $1 owner, $2 currency, $3 limit, $4 offset, $5 after this id or null
SELECT
    -- Their clients know transactions by whole numbers.
    leg.seq AS id,
    leg.kind,
    leg.change AS amount,
    -- Payments for other things than bookings carry a prefix, as in ticket:7.
    CASE WHEN leg.kind IN ('payment', 'refund') AND leg.reference ~ '^[0-9]+$' THEN leg.reference END AS booking_id,
    -- The reference of a claim is the code; a code that a user paid for has the id of the transfer.
    CASE leg.kind WHEN 'promo_activation' THEN leg.reference WHEN 'promo_generation' THEN promocode.code END AS code,
    leg.description,
    millis(leg.created_at) AS created_at
FROM account AS mine
CROSS JOIN LATERAL legs(mine.id, $3::bigint + $4::bigint, $5::bigint) AS leg
LEFT JOIN promocode ON leg.kind = 'promo_generation' AND promocode.id = leg.id
WHERE mine.kind = 'main' AND mine.owner = $1 AND mine.currency = $2
ORDER BY leg.seq DESC
LIMIT $3 OFFSET $4
