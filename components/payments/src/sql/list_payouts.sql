-- $1 limit, $2 offset
-- What an admin has to pay out, the oldest first.
SELECT card.* FROM payout_card AS card
WHERE paid_at IS NULL AND returned_at IS NULL
ORDER BY seq
LIMIT $1 OFFSET $2
