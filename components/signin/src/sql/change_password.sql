-- $1 session, $2 kind, $3 seconds, $4 refresh token, $5 address, $6 agent, $7 request id, $8 account, $9 seal,
-- $10 password hash
-- A letter that could reset the password is void from now on.
WITH changed AS (
    UPDATE account SET password = $10, seal = gen_random_uuid()
    WHERE id = $8 AND seal = $9 AND disabled_at IS NULL
    RETURNING id, seal, write_audit('password-changed', id, $1, $5, $7),
        send_security_notice(id, 'password-changed', $5)
), opened AS (
    INSERT INTO session (id, account, seal, kind, address, agent, expires_at, refresh)
    SELECT $1, id, seal, $2, $5, $6, now() + $3::bigint * interval '1 second', $4 FROM changed
), void AS (
    DELETE FROM letter USING changed WHERE letter.account = changed.id AND letter.purpose = 'reset'
)
SELECT end_sessions(id, $1, 'password-changed') AS ended FROM changed
