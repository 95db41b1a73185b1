-- $1 session, $2 address, $3 request id
-- Everybody but admins, who would lock themselves out.
WITH gone AS (
    UPDATE account SET
        login = 'erased:' || account.id, email = NULL, name = NULL, surname = NULL, cpf = NULL, telegram_id = NULL,
        password = NULL, roles = '{}', email_verified_at = NULL, totp = NULL, totp_offered = NULL,
        seal = gen_random_uuid(), disabled_at = now(), erased_at = now()
    FROM caller($1) AS me
    WHERE account.erased_at IS NULL AND 'admin' = ANY (me.roles) AND NOT 'admin' = ANY (account.roles)
    RETURNING account.id, me.id AS actor
), letters AS (
    DELETE FROM letter USING gone WHERE letter.account = gone.id
), passcodes AS (
    DELETE FROM passcode USING gone WHERE passcode.account = gone.id
), identities AS (
    DELETE FROM foreign_identity USING gone WHERE foreign_identity.account = gone.id
), told AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'user:erased', 'user:' || id, jsonb_build_object('id', id) FROM gone
), audited AS (
    INSERT INTO audit (what, account, session, actor, address, request_id)
    SELECT 'erased', id, $1, actor, $2, $3 FROM gone
)
SELECT count(end_sessions(id, NULL, 'erased')) FROM gone
