-- $1 user, $2 the newest that was read
UPDATE inbox SET read_at = now() WHERE user_id = $1 AND id <= $2 AND read_at IS NULL
