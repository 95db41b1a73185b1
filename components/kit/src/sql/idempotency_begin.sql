-- $1 caller, $2 key, $3 fingerprint
-- Claims the key, or tells what became of it. A running request renews the lease of its claim, so a claim whose lease
-- has ended belongs to a request that died: the key may be claimed again, and what it made is found by its id. So does
-- one whose lease ends later than any can: the clock was set back since. Claims without a lease were made by copies that
-- did not renew them and end after a minute. Fences begin with the time, so that a copy which comes late knows a key that
-- was released and claimed again from its own.
WITH fresh AS (
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS fence
), claimed AS (
    INSERT INTO idempotency_key AS held (caller, key, fingerprint, leased_until, fence)
    VALUES ($1, $2, $3, now() + interval '5 seconds', (SELECT fresh.fence FROM fresh))
    ON CONFLICT (caller, key) DO UPDATE
    SET claimed_at = now(), leased_until = now() + interval '5 seconds', fence = held.fence + 1
    WHERE held.status IS NULL AND held.fingerprint = $3
        AND coalesce(held.leased_until, held.claimed_at + interval '1 minute')
            NOT BETWEEN now() AND now() + interval '1 minute'
    RETURNING fence
)
SELECT
    CASE WHEN claimed.fence = fresh.fence THEN 'first' ELSE 'again' END AS state,
    claimed.fence,
    NULL::int AS status,
    NULL::text AS location,
    NULL::text AS body
FROM claimed CROSS JOIN fresh
UNION ALL
SELECT
    CASE WHEN fingerprint <> $3 THEN 'other' WHEN status IS NULL THEN 'running' ELSE 'done' END,
    fence,
    status,
    location,
    body
FROM idempotency_key
WHERE caller = $1 AND key = $2 AND NOT EXISTS (SELECT FROM claimed)
UNION ALL
-- A copy that claims at this very moment is not visible to this statement yet.
SELECT 'running', 0, NULL, NULL, NULL
WHERE NOT EXISTS (SELECT FROM claimed)
    AND NOT EXISTS (SELECT FROM idempotency_key WHERE caller = $1 AND key = $2)
