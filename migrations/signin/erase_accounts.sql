-- The account of a session, also of one that is over.
CREATE OR REPLACE FUNCTION by_account(of_session uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT session.account FROM session WHERE session.id = of_session
$$;

-- Erases people. The rows stay, without personal data, because other rows refer to them. The new login cannot be taken
-- before: no login that a person can choose contains a colon. Answers the sessions that ended, by account.
CREATE OR REPLACE FUNCTION erase_accounts(whom uuid[], in_session uuid, from_address text, request text)
RETURNS TABLE (erased uuid, ended text[])
LANGUAGE sql AS $$
    WITH gone AS (
        UPDATE account SET
            login = 'erased:' || account.id, email = NULL, name = NULL, surname = NULL, cpf = NULL,
            telegram_id = NULL, password = NULL, roles = '{}', email_verified_at = NULL, totp = NULL,
            totp_offered = NULL, email_wanted = NULL, seal = gen_random_uuid(), disabled_at = now(), erased_at = now()
        WHERE account.id = ANY (whom) AND account.erased_at IS NULL
        RETURNING account.id, forget_addresses(account.id),
            write_audit('erased', account.id, in_session, CASE WHEN account.id = by_account(in_session) THEN 'erased'
                ELSE from_address END, request, by_account(in_session))
    ), sessions AS (
        -- Live sessions end below.
        UPDATE session SET address = 'erased', agent = NULL, spent_from = NULL
        FROM gone WHERE session.account = gone.id AND NOT (session.ended_at IS NULL AND session.expires_at > now())
    ), letters AS (
        DELETE FROM letter USING gone WHERE letter.account = gone.id
    ), passcodes AS (
        DELETE FROM passcode USING gone WHERE passcode.account = gone.id
    ), networks AS (
        DELETE FROM known_network USING gone WHERE known_network.account = gone.id
    ), identities AS (
        DELETE FROM foreign_identity USING gone WHERE foreign_identity.account = gone.id
    ), told AS (
        INSERT INTO events.outbox (kind, aggregate, payload)
        SELECT 'user:erased', 'user:' || gone.id, jsonb_build_object('id', gone.id) FROM gone
    )
    SELECT gone.id, end_sessions(gone.id, NULL, 'erased') FROM gone
$$;
