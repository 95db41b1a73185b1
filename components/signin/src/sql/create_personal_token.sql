-- $1 session, $2 the new one, $3 digest of its token, $4 name, $5 scope, $6 seconds, $7 address, $8 agent, $9 request id
WITH made AS (
    INSERT INTO session (id, account, seal, kind, address, agent, expires_at, secret, name, scope)
    SELECT $2, owner.id, owner.seal, 'personal', $7, $8, now() + $6::bigint * interval '1 second', $3, $4, $5
    FROM caller($1) AS me JOIN account AS owner ON owner.id = me.id AND owner.seal = me.seal
    FOR SHARE OF owner
    RETURNING id, account, expires_at
), audited AS (
    INSERT INTO audit (what, account, session, address, request_id, detail)
    SELECT 'personal-token-made', account, id, $7, $9, $5 FROM made
)
SELECT (extract(epoch FROM expires_at) * 1000)::bigint AS expires_at FROM made
