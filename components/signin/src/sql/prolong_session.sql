-- $1 session, $2 seconds, $3 seconds from its start that it lasts at most
-- A session of another issuer's user lasts as long as it was opened for: that issuer decides.
WITH prolonged AS (
    UPDATE session SET expires_at = CASE
        WHEN session.kind = 'foreign' THEN session.expires_at
        ELSE greatest(session.expires_at,
            least(now() + $2::bigint * interval '1 second', session.started_at + $3::bigint * interval '1 second'))
    END
    FROM caller($1) AS me WHERE session.id = $1
    RETURNING me, session.expires_at, session.amr, session.authenticated_at
)
SELECT person.*, extract(epoch FROM expires_at - now())::bigint AS seconds_left,
    amr, millis(authenticated_at) AS authenticated_at
FROM prolonged, person(prolonged.me)
