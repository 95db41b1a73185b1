-- $1 id, $2 owner, $3 secret
UPDATE webhook
SET secret = $3, former_secret = secret, former_until = now() + interval '1 day'
WHERE id = $1 AND owner = $2
RETURNING
    id,
    url,
    templates,
    (extract(epoch FROM created_at) * 1000)::bigint AS created_at,
    (extract(epoch FROM disabled_at) * 1000)::bigint AS disabled_at,
    disabled_because
