-- $1 caller, $2 key, $3 fingerprint
-- Claims the key, or tells what became of it. A claim older than a minute belongs to a request
-- that died: its key may be claimed again, and what it made is found by its id.
WITH claimed AS (
    INSERT INTO idempotency_key AS held (caller, key, fingerprint)
    VALUES ($1, $2, $3)
    ON CONFLICT (caller, key) DO UPDATE SET claimed_at = now()
    WHERE held.status IS NULL AND held.fingerprint = $3
        AND held.claimed_at < now() - interval '1 minute'
    RETURNING 1
)
SELECT 'ours' AS state, NULL::int AS status, NULL::text AS location, NULL::text AS body FROM claimed
UNION ALL
SELECT
    CASE WHEN fingerprint <> $3 THEN 'other' WHEN status IS NULL THEN 'running' ELSE 'done' END,
    status,
    location,
    body
FROM idempotency_key
WHERE caller = $1 AND key = $2 AND NOT EXISTS (SELECT FROM claimed)
UNION ALL
-- A copy that claims at this very moment is not visible to this statement yet.
SELECT 'running', NULL, NULL, NULL
WHERE NOT EXISTS (SELECT FROM claimed)
    AND NOT EXISTS (SELECT FROM idempotency_key WHERE caller = $1 AND key = $2)
