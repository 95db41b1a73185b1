-- $1 chat
SELECT sealed, millis(expires_at) AS expires_at FROM session WHERE chat = $1 AND sealed IS NOT NULL
