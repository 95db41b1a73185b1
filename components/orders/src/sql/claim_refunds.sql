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
UPDATE refund SET due_at = now() + least(now() - refund.created_at, interval '1 hour')
FROM due, charge
WHERE refund.id = due.id AND charge.id = refund.charge_id
RETURNING refund.id, refund.order_id, refund.charge_id, charge.kind, refund.amount
