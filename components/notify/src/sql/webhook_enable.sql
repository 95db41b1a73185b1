-- $1 id, $2 owner
UPDATE webhook
SET disabled_at = NULL, disabled_because = NULL
WHERE id = $1 AND owner = $2
RETURNING
    id,
    url,
    templates,
    (extract(epoch FROM created_at) * 1000)::bigint AS created_at,
    (extract(epoch FROM disabled_at) * 1000)::bigint AS disabled_at,
    disabled_because
