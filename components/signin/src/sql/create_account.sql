-- $1 session or none, $2 its kind, $3 its seconds, $4 its refresh token, $5 address, $6 agent, $7 request id,
-- $8 id, $9 login, $10 e-mail, $11 name, $12 surname, $13 cpf, $14 telegram id, $15 password hash, $16 roles,
-- $17 created by, $18 and $19 issuer and subject of a foreign identity
WITH made AS (
    INSERT INTO account (id, login, email, name, surname, cpf, telegram_id, password, roles, created_by)
    VALUES ($8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
    RETURNING account, write_audit('registered', id, $1, $5, $7, $17)
), opened AS (
    INSERT INTO session (id, account, seal, kind, address, agent, expires_at, refresh)
    SELECT $1, (account).id, (account).seal, $2, $5, $6, now() + $3::bigint * interval '1 second', $4
    FROM made WHERE $1::uuid IS NOT NULL
), known AS (
    INSERT INTO foreign_identity (issuer, subject, account)
    SELECT $18, $19, (account).id FROM made WHERE $18::text IS NOT NULL
), told AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'user:created', 'user:' || (account).id,
        jsonb_build_object('id', (account).id, 'email', (account).email)
    FROM made
)
SELECT person.* FROM made, person(made.account)
