-- $1 digest of the token, $2 address, $3 request id
WITH found AS (
    SELECT owner, session.id AS session, session.scope,
        extract(epoch FROM session.expires_at - now())::bigint AS seconds_left
    FROM session JOIN account AS owner ON owner.id = session.account AND owner.seal = session.seal
    WHERE session.secret = $1 AND session.kind = 'personal' AND session.ended_at IS NULL
        AND session.expires_at > now() AND owner.disabled_at IS NULL
), audited AS (
    INSERT INTO audit (what, account, session, address, request_id)
    SELECT 'personal-token-used', (owner).id, session, $2, $3 FROM found
)
SELECT person.*, session, scope, seconds_left FROM found, person(found.owner)
