-- $1 limit
-- Refunds that whoever made them owed did not see to, claimed as charges are.
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
