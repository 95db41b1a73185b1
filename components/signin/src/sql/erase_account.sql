-- $1 session, $2 id of whom, $3 address, $4 request id, $5 whether as an admin
-- The row stays for what refers to it, and says nothing about anybody. Nobody can have chosen its login.
WITH gone AS (
    UPDATE account SET
        login = 'erased:' || account.id, email = NULL, name = NULL, surname = NULL, cpf = NULL, telegram_id = NULL,
        password = NULL, roles = '{}', email_verified_at = NULL, totp = NULL, totp_offered = NULL,
        seal = gen_random_uuid(), disabled_at = now(), erased_at = now()
    FROM caller($1) AS me
    WHERE account.id = $2 AND account.erased_at IS NULL
        AND (account.id = me.id OR manages(me, account, $5))
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
    SELECT 'erased', id, $1, nullif(actor, id), $3, $4 FROM gone
)
SELECT end_sessions(id, NULL, 'erased') AS ended FROM gone
