-- $1 account, $2 seal, $3 password hash, $4 session, $5 kind, $6 seconds, $7 refresh token, $8 address,
-- $9 agent, $10 request id
-- A letter that would change the password once more is void.
WITH changed AS (
    UPDATE account SET password = $3, seal = gen_random_uuid()
    WHERE id = $1 AND seal = $2 AND disabled_at IS NULL
    RETURNING id, seal
), opened AS (
    INSERT INTO session (id, account, seal, kind, address, agent, expires_at, refresh)
    SELECT $4, id, seal, $5, $8, $9, now() + $6::bigint * interval '1 second', $7 FROM changed
), void AS (
    DELETE FROM letter USING changed WHERE letter.account = changed.id AND letter.purpose = 'reset'
), told AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'notify', 'user:' || id, jsonb_build_object(
        'user_id', id, 'template', 'password-changed', 'params', jsonb_build_object('address', $8::text))
    FROM changed
), audited AS (
    INSERT INTO audit (what, account, session, address, request_id)
    SELECT 'password-changed', id, $4, $8, $10 FROM changed
)
SELECT end_sessions(id, $4, 'password-changed') AS ended FROM changed
