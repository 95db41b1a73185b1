-- $1 chat
SELECT token, refresh_token, millis(expires_at) AS expires_at FROM session WHERE chat = $1
