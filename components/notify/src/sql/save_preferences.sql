-- $1 user, $2 language, $3 telegram, $4 email, $5 webhook
INSERT INTO preference (user_id, language, telegram, email, webhook) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (user_id) DO UPDATE
SET language = $2, telegram = $3, email = $4, webhook = $5, updated_at = now()
