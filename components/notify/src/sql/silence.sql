-- $1 chat, $2 why
INSERT INTO silent_chat (chat, reason) VALUES ($1, $2) ON CONFLICT (chat) DO NOTHING
