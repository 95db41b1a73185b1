-- $1 limit, $2 offset
-- The oldest first: what is new is being paid right now.
SELECT id, booking_id, charge_id, amount,
    millis(created_at) AS owed_since,
    millis(due_at) AS tried_again_at
FROM refund
WHERE status = 'owed'
ORDER BY created_at, id
LIMIT $1::bigint OFFSET $2::bigint
