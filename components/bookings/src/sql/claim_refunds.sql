-- $1 limit
-- Refunds that the request which made them owed did not pay, claimed as charges are.
WITH due AS (
    SELECT id
    FROM refund
    WHERE status = 'owed' AND due_at <= now()
    ORDER BY due_at
    LIMIT $1::bigint
    FOR UPDATE SKIP LOCKED
)
UPDATE refund SET due_at = now() + least(now() - created_at, interval '1 hour')
FROM due
WHERE refund.id = due.id
RETURNING refund.id, booking_id, charge_id, amount
