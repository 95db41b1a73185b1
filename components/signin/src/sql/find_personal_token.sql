-- $1 digest of the token, $2 address, $3 request id
WITH found AS MATERIALIZED (
    SELECT owner, session.id AS session, session.scope, session.amr, session.authenticated_at,
        extract(epoch FROM session.expires_at - now())::bigint AS seconds_left
    FROM session JOIN account AS owner ON owner.id = session.account AND owner.seal = session.seal
    WHERE session.secret = $1 AND session.kind = 'personal' AND session.ended_at IS NULL
        AND session.expires_at > now() AND owner.disabled_at IS NULL
)
SELECT person.*, session, scope, seconds_left, amr, millis(authenticated_at) AS authenticated_at
FROM found, person(found.owner), write_audit('personal-token-used', (found.owner).id, found.session, $2, $3)
