-- $1 id, $2 owner
WITH enabled AS (
    UPDATE webhook
    SET disabled_at = NULL, disabled_because = NULL, failing_since = NULL, failures = 0, rests_until = NULL
    WHERE id = $1 AND owner = $2
    RETURNING *
)
SELECT
    id,
    url,
    templates,
    (extract(epoch FROM created_at) * 1000)::bigint AS created_at,
    (extract(epoch FROM disabled_at) * 1000)::bigint AS disabled_at,
    disabled_because,
    failures
FROM enabled
