-- $1 chat, $2 reason
INSERT INTO silent_chat (chat, reason) VALUES ($1, $2) ON CONFLICT (chat) DO NOTHING
