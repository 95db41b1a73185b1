-- $1 limit
-- Refunds that the request which made them owed did not pay. The pause before the next try is the age of the refund.
WITH due AS (
    SELECT id
    FROM refund
    WHERE status = 'owed' AND due_at <= now()
    ORDER BY due_at
    LIMIT $1::bigint
    FOR UPDATE SKIP LOCKED
)
UPDATE refund SET due_at = now() + greatest(interval '10 seconds', least(now() - refund.created_at, interval '1 hour'))
FROM due, charge
WHERE refund.id = due.id AND charge.id = charge_id
RETURNING refund.id, charge_id, method, refund.amount, initcap(subject) || ' ' || subject_id AS description
