-- $1 session, $2 kind, $3 seconds, $4 refresh token, $5 address, $6 agent, $7 request id, $8 its proofs,
-- $9 when they were given, $10 network or none, $11 account, $12 seal, $13 password hash
-- A letter that could reset the password is void from now on.
WITH changed AS (
    UPDATE account SET password = $13, seal = gen_random_uuid()
    WHERE id = $11 AND seal = $12 AND disabled_at IS NULL
    RETURNING id, seal, write_audit('password-changed', id, $1, $5, $7),
        send_security_notice(id, 'password-changed', $5), remember_network(id, $10, $5)
), opened AS (
    INSERT INTO session (id, account, seal, kind, address, agent, expires_at, refresh, amr, authenticated_at)
    SELECT $1, id, seal, $2, $5, $6, now() + $3::bigint * interval '1 second', $4, $8, moment($9) FROM changed
), void AS (
    DELETE FROM letter USING changed WHERE letter.account = changed.id AND letter.purpose = 'reset'
)
SELECT end_sessions(id, $1, 'password-changed') AS ended FROM changed
