-- $1 user
SELECT language, telegram, email, webhook FROM preference WHERE user_id = $1
