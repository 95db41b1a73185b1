-- $1 chat, $2 token, $3 refresh token, $4 login, $5 for how many seconds the token is good
-- Whoever comes takes a few with them who will not come back: after a month signin knows neither of their tokens.
WITH dead AS (
    DELETE FROM session
    WHERE chat IN (
        SELECT chat FROM session
        WHERE expires_at < now() - interval '31 days' AND chat <> $1
        ORDER BY expires_at
        LIMIT 10
        FOR UPDATE SKIP LOCKED
    )
)
INSERT INTO session (chat, token, refresh_token, login, expires_at)
VALUES ($1, $2, $3, $4, now() + $5::bigint * interval '1 second')
ON CONFLICT (chat) DO UPDATE
SET token = $2, refresh_token = $3, login = $4, expires_at = excluded.expires_at, signed_in_at = now()
