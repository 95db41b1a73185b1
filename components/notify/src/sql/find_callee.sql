-- $1 id
-- At most eight keys, as many signatures as fit a header: an owner who rotates every hour loses the oldest early.
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
