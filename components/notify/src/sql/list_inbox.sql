-- $1 user, $2 before, $3 whether only unread ones, $4 limit
SELECT id, template, params, millis(created_at) AS created_at, millis(read_at) AS read_at
FROM inbox
WHERE user_id = $1 AND ($2::bigint IS NULL OR id < $2) AND (NOT $3::bool OR read_at IS NULL)
ORDER BY id DESC
LIMIT $4
