-- $1 owner
SELECT
    id,
    url,
    templates,
    (extract(epoch FROM created_at) * 1000)::bigint AS created_at,
    (extract(epoch FROM disabled_at) * 1000)::bigint AS disabled_at,
    disabled_because
FROM webhook
WHERE owner = $1
ORDER BY webhook.created_at
