-- $1 user, $2 chat
INSERT INTO linked_chat (user_id, chat) VALUES ($1, $2)
ON CONFLICT (user_id) DO UPDATE SET chat = $2, since = now()
