-- $1 limit, $2 offset, $3 after this seq or null
-- Withdrawals that an admin has to pay out, the oldest first.
SELECT card.*
FROM (
    SELECT withdrawal FROM payout
    WHERE paid_at IS NULL AND returned_at IS NULL AND ($3::bigint IS NULL OR seq > $3)
    ORDER BY seq
    LIMIT $1::bigint OFFSET $2::bigint
) AS wanted
JOIN payout_card AS card ON card.id = wanted.withdrawal
ORDER BY card.seq
