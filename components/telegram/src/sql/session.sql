-- $1 chat
SELECT token, refresh_token, (extract(epoch FROM expires_at) * 1000)::bigint AS expires_at FROM session WHERE chat = $1
