-- $1 id, $2 login, $3 e-mail, $4 name, $5 surname, $6 cpf, $7 telegram id, $8 password hash, $9 roles,
-- $10 created by, $11 session or none, $12 its kind, $13 its seconds, $14 its refresh token,
-- $15 address, $16 agent, $17 request id, $18 and $19 issuer and subject by which they are known elsewhere
WITH made AS (
    INSERT INTO account (id, login, email, name, surname, cpf, telegram_id, password, roles, created_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    RETURNING account
), opened AS (
    INSERT INTO session (id, account, seal, kind, address, agent, expires_at, refresh)
    SELECT $11, (account).id, (account).seal, $12, $15, $16, now() + $13::bigint * interval '1 second', $14
    FROM made WHERE $11::uuid IS NOT NULL
), known AS (
    INSERT INTO foreign_identity (issuer, subject, account)
    SELECT $18, $19, (account).id FROM made WHERE $18::text IS NOT NULL
), told AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'user:created', 'user:' || (account).id,
        jsonb_build_object('id', (account).id, 'email', (account).email)
    FROM made
), audited AS (
    INSERT INTO audit (what, account, session, actor, address, request_id)
    SELECT 'registered', (account).id, $11, $10, $15, $17 FROM made
)
SELECT person.* FROM made, person(made.account)
