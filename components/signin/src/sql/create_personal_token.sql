-- $1 session, $2 address, $3 request id, $4 agent, $5 the token's session, $6 digest, $7 name, $8 scope, $9 seconds
-- The token stands for what its maker had proven.
INSERT INTO session (
    id, account, seal, kind, address, agent, expires_at, secret, name, scope, amr, authenticated_at)
SELECT $5, owner.id, owner.seal, 'personal', $2, $4, now() + $9::bigint * interval '1 second', $6, $7, $8,
    maker.amr, maker.authenticated_at
FROM caller($1) AS me
    JOIN account AS owner ON owner.id = me.id AND owner.seal = me.seal
    JOIN session AS maker ON maker.id = $1
FOR SHARE OF owner
RETURNING millis(expires_at) AS expires_at, write_audit('personal-token-made', account, id, $2, $3, NULL, $8),
    send_security_notice(account, 'personal-token-made', $2)
