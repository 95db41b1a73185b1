-- $1 user
DELETE FROM session WHERE user_id = $1
