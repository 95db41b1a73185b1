-- $1 account, $2 seal, $3 password hash, $4 session, $5 kind, $6 seconds, $7 address, $8 agent, $9 request id
WITH changed AS (
    UPDATE account SET password = $3, seal = gen_random_uuid()
    WHERE id = $1 AND seal = $2 AND disabled_at IS NULL
    RETURNING id, seal
), opened AS (
    INSERT INTO session (id, account, seal, kind, address, agent, expires_at)
    SELECT $4, id, seal, $5, $7, $8, now() + $6::bigint * interval '1 second' FROM changed
), audited AS (
    INSERT INTO audit (what, account, session, address, request_id)
    SELECT 'password-changed', id, $4, $7, $9 FROM changed
)
SELECT id FROM changed
