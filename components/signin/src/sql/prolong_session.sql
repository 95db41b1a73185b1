-- $1 session, $2 seconds
WITH prolonged AS (
    UPDATE session SET expires_at = greatest(session.expires_at, now() + $2::bigint * interval '1 second')
    FROM caller($1) AS me WHERE session.id = $1
    RETURNING me
)
SELECT person.* FROM prolonged, person(prolonged.me)
