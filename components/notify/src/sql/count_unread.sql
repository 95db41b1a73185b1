-- $1 user, $2 the most that are counted
SELECT count(*) FROM (SELECT FROM inbox WHERE user_id = $1 AND read_at IS NULL LIMIT $2::bigint) AS unread
