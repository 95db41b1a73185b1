-- $1 session or none, $2 its kind, $3 its seconds, $4 its refresh token, $5 address, $6 agent, $7 request id,
-- $8 its proofs, $9 when they were given, $10 network or none,
-- $11 id, $12 login, $13 e-mail, $14 name, $15 surname, $16 cpf, $17 telegram id, $18 password hash, $19 roles,
-- $20 created by, $21 and $22 issuer and subject of a foreign identity, $23 whether it is the first admin
-- No row comes back when there was a first admin before.
WITH first AS (
    INSERT INTO first_admin (account) SELECT $11 WHERE $23 ON CONFLICT DO NOTHING RETURNING account
), made AS (
    INSERT INTO account (id, login, email, name, surname, cpf, telegram_id, password, roles, created_by)
    SELECT $11, $12, $13, $14, $15, $16, $17, $18, $19, $20 WHERE NOT $23 OR EXISTS (SELECT FROM first)
    RETURNING account, write_audit('registered', id, $1, $5, $7, $20)
), opened AS (
    INSERT INTO session (id, account, seal, kind, address, agent, expires_at, refresh, amr, authenticated_at)
    SELECT $1, (account).id, (account).seal, $2, $5, $6, now() + $3::bigint * interval '1 second', $4,
        $8, moment($9)
    FROM made WHERE $1::uuid IS NOT NULL
), remembered AS (
    INSERT INTO known_network (account, network)
    SELECT (account).id, $10 FROM made WHERE $1::uuid IS NOT NULL AND $10::text IS NOT NULL
), known AS (
    INSERT INTO foreign_identity (issuer, subject, account)
    SELECT $21, $22, (account).id FROM made WHERE $21::text IS NOT NULL
), told AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'user:created', 'user:' || (account).id,
        jsonb_build_object('id', (account).id, 'email', (account).email)
    FROM made
)
SELECT person.* FROM made, person(made.account)
