-- $1 webhook, $2 owner
WITH mine AS (
    SELECT id FROM webhook WHERE id = $1 AND owner = $2
)
INSERT INTO events.outbox (kind, aggregate, payload)
SELECT 'deliver:webhook', 'webhook:' || id || ':test:' || gen_random_uuid(), jsonb_build_object(
    'webhook', id,
    'body', jsonb_build_object(
        'type', 'test',
        'timestamp', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'data', '{}'::jsonb
    )
)
FROM mine
