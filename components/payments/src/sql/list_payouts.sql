-- $1 limit, $2 offset
-- What somebody has to pay out, the oldest first.
SELECT id, owner, email, account, amount, currency, created_at, paid_at, paid_by, returned_at, returned_by
FROM payout_card
WHERE paid_at IS NULL AND returned_at IS NULL
ORDER BY seq
LIMIT $1 OFFSET $2
