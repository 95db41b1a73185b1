-- $1 chat, $2 sealed tokens, $3 login, $4 lifetime of the token in seconds, $5 user
-- Each sign-in also purges a few sessions whose tokens signin does not know any more, a month after they expired.
WITH purged AS (
    DELETE FROM session
    WHERE chat IN (
        SELECT chat FROM session
        WHERE expires_at < now() - interval '31 days' AND chat <> $1
        ORDER BY expires_at
        LIMIT 10
        FOR UPDATE SKIP LOCKED
    )
), linked AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    VALUES ('telegram:linked', 'telegram:' || $1::bigint, jsonb_build_object('chat', $1::bigint, 'user_id', $5::uuid))
)
INSERT INTO session (chat, sealed, login, expires_at, user_id)
VALUES ($1, $2, $3, now() + $4::bigint * interval '1 second', $5)
ON CONFLICT (chat) DO UPDATE
SET sealed = $2, token = NULL, refresh_token = NULL, login = $3, expires_at = excluded.expires_at,
    signed_in_at = now(), user_id = $5
