-- $1 chat, $2 the refresh token that was spent, $3 token, $4 refresh token, $5 lifetime of the token in seconds
-- Nothing changes when another person signed in there meanwhile.
UPDATE session
SET token = $3, refresh_token = $4, expires_at = now() + $5::bigint * interval '1 second'
WHERE chat = $1 AND refresh_token = $2
