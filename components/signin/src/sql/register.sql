-- $1 id, $2 login, $3 e-mail, $4 name, $5 surname, $6 cpf, $7 telegram id, $8 password hash, $9 roles,
-- $10 created by, $11 session or none, $12 its kind, $13 its seconds, $14 address, $15 agent, $16 request id
WITH made AS (
    INSERT INTO account (id, login, email, name, surname, cpf, telegram_id, password, roles, created_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    RETURNING id, number, login, email, name, surname, cpf, telegram_id, roles, seal
), opened AS (
    INSERT INTO session (id, account, seal, kind, address, agent, expires_at)
    SELECT $11, id, seal, $12, $14, $15, now() + $13::bigint * interval '1 second'
    FROM made WHERE $11::uuid IS NOT NULL
), told AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'user:created', 'user:' || id, jsonb_build_object('id', id, 'email', email) FROM made
), audited AS (
    INSERT INTO audit (what, account, session, actor, address, request_id)
    SELECT 'registered', id, $11, $10, $14, $16 FROM made
)
SELECT id, number, login, email, name, surname, cpf, telegram_id, roles FROM made
