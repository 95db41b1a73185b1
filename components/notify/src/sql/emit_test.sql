-- $1 webhook, $2 owner, $3 how many tests an owner may send in an hour, to all their webhooks
WITH mine AS (
    SELECT id FROM webhook WHERE id = $1 AND owner = $2
), counted AS (
    INSERT INTO webhook_test AS it (owner) SELECT $2 FROM mine
    ON CONFLICT (owner) DO UPDATE SET
        tests = CASE WHEN it.since > now() - interval '1 hour' THEN it.tests + 1 ELSE 1 END,
        since = CASE WHEN it.since > now() - interval '1 hour' THEN it.since ELSE now() END
    WHERE it.tests < $3::bigint OR it.since <= now() - interval '1 hour'
    RETURNING owner
), sent AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'deliver:webhook', 'webhook:' || id || ':test:' || gen_random_uuid(), jsonb_build_object(
        'webhook', id,
        'body', jsonb_build_object(
            'type', 'test',
            'timestamp', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            'data', '{}'::jsonb
        )
    )
    FROM mine, counted
)
SELECT CASE
    WHEN NOT EXISTS (SELECT FROM mine) THEN 'unknown_webhook'
    WHEN EXISTS (SELECT FROM counted) THEN 'sent'
    ELSE 'too_many_tests'
END AS outcome
