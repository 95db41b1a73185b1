-- $1 id
SELECT
    url,
    CASE WHEN former_until > now() THEN ARRAY[secret, former_secret] ELSE ARRAY[secret] END AS keys
FROM webhook
WHERE id = $1 AND disabled_at IS NULL
