-- $1 digest of the token
SELECT person.*, session.id AS session, session.scope,
    extract(epoch FROM session.expires_at - now())::bigint AS seconds_left
FROM session JOIN account AS owner ON owner.id = session.account AND owner.seal = session.seal, person(owner)
WHERE session.secret = $1 AND session.kind = 'personal' AND session.ended_at IS NULL
    AND session.expires_at > now() AND owner.disabled_at IS NULL
