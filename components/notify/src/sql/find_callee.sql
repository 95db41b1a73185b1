-- $1 id
-- No more keys than a header holds: an owner who replaces them by the hour loses the oldest.
SELECT
    url,
    CASE WHEN disabled_at IS NOT NULL THEN coalesce(disabled_because, 'it is disabled') END AS disabled_because,
    greatest(0, extract(epoch FROM rests_until - now()) * 1000)::bigint AS rests_ms,
    to_jsonb(ARRAY(
        SELECT secret FROM webhook_key
        WHERE webhook = $1 AND (until IS NULL OR until > now())
        ORDER BY made_at DESC
        LIMIT 8
    )) AS keys
FROM webhook
WHERE id = $1
