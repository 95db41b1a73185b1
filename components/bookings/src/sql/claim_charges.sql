-- $1 limit
-- Charges whose request died between asking the ledger and recording its answer. The pause before the next try
-- is the age of the charge. Another sweep skips rows that this one has locked.
WITH due AS (
    SELECT id
    FROM charge
    WHERE status = 'opening' AND due_at <= now()
    ORDER BY due_at
    LIMIT $1::bigint
    FOR UPDATE SKIP LOCKED
)
UPDATE charge SET due_at = now() + least(now() - created_at, interval '1 hour')
FROM due
WHERE charge.id = due.id
RETURNING charge.id
