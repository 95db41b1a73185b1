-- $1 limit, $2 offset
-- What an admin has to pay out, the oldest first.
SELECT card.*
FROM (
    SELECT withdrawal FROM payout
    WHERE paid_at IS NULL AND returned_at IS NULL
    ORDER BY seq
    LIMIT $1 OFFSET $2
) AS wanted
JOIN payout_card AS card ON card.id = wanted.withdrawal
ORDER BY card.seq
