-- $1 limit
-- Charges whose request died between asking the ledger and noting its answer. Each try waits as long
-- as the charge is old; another sweep that meets the same rows passes on.
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
