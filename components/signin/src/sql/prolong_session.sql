-- $1 session, $2 seconds
-- A session of another issuer's user lasts as long as it was opened for: that issuer decides.
WITH prolonged AS (
    UPDATE session SET expires_at = CASE
        WHEN session.kind = 'foreign' THEN session.expires_at
        ELSE greatest(session.expires_at, now() + $2::bigint * interval '1 second')
    END
    FROM caller($1) AS me WHERE session.id = $1
    RETURNING me, session.expires_at
)
SELECT person.*, extract(epoch FROM expires_at - now())::bigint AS seconds_left
FROM prolonged, person(prolonged.me)
