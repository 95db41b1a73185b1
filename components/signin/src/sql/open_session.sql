-- $1 account, $2 seal, $3 session, $4 kind, $5 seconds, $6 address, $7 agent, $8 request id
WITH opened AS (
    INSERT INTO session (id, account, seal, kind, address, agent, expires_at)
    SELECT $3, id, seal, $4, $6, $7, now() + $5::bigint * interval '1 second'
    FROM account WHERE id = $1 AND seal = $2 AND disabled_at IS NULL
    RETURNING id, account
), audited AS (
    INSERT INTO audit (what, account, session, address, request_id)
    SELECT 'signed-in', account, id, $6, $8 FROM opened
)
SELECT id FROM opened
