-- $1 id, $2 owner, $3 url, $4 secret, $5 templates, $6 how many an owner may have
WITH created AS (
    INSERT INTO webhook (id, owner, url, secret, templates)
    SELECT $1, $2, $3, $4, $5
    WHERE (SELECT count(*) FROM webhook WHERE owner = $2) < $6
    RETURNING *
)
SELECT
    id,
    url,
    templates,
    (extract(epoch FROM created_at) * 1000)::bigint AS created_at,
    (extract(epoch FROM disabled_at) * 1000)::bigint AS disabled_at,
    disabled_because
FROM created
