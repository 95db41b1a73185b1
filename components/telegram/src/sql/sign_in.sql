-- $1 chat, $2 token, $3 login
INSERT INTO session (chat, token, login) VALUES ($1, $2, $3)
ON CONFLICT (chat) DO UPDATE SET token = $2, login = $3, signed_in_at = now()
