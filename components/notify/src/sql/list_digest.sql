-- $1 user, $2 limit
SELECT id, template, params, millis(created_at) AS created_at, millis(read_at) AS read_at
FROM inbox
WHERE user_id = $1 AND waits_for_digest
ORDER BY id
LIMIT $2
