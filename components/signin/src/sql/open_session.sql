-- $1 account, $2 seal, $3 session, $4 kind, $5 seconds, $6 refresh token, $7 address, $8 agent, $9 request id
-- The lock makes whoever renews the seal at this moment either see this session or stop it.
WITH opened AS (
    INSERT INTO session (id, account, seal, kind, address, agent, expires_at, refresh)
    SELECT $3, id, seal, $4, $7, $8, now() + $5::bigint * interval '1 second', $6
    FROM account WHERE id = $1 AND seal = $2 AND disabled_at IS NULL
    FOR SHARE
    RETURNING id, account
), audited AS (
    INSERT INTO audit (what, account, session, address, request_id)
    SELECT 'signed-in', account, id, $7, $9 FROM opened
)
SELECT id FROM opened
