-- $1 the refund after which the list goes on, which may be paid by now; $2 limit
-- The oldest first: what is new is being paid right now.
SELECT id, booking_id, charge_id, amount,
    millis(created_at) AS owed_since,
    millis(due_at) AS tried_again_at
FROM refund
WHERE status = 'owed'
    AND ($1::uuid IS NULL OR (created_at, id) > (SELECT created_at, id FROM refund WHERE id = $1))
ORDER BY created_at, id
LIMIT $2::bigint
