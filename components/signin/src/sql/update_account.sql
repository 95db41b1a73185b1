-- $1 session, $2 address, $3 request id, $4 account, $5 login, $6 name, $7 surname, $8 e-mail,
-- $9 telegram id or 0 for none, $10 password hash, $11 roles to add, $12 roles to drop, $13 whether as an admin;
-- what is null stays as it is
-- A new password or other roles end every session but the caller's. A new password voids letters that could
-- reset it.
WITH before AS (
    SELECT id, email FROM account WHERE id = $4
), changed AS (
    UPDATE account SET
        -- An account that signs in by e-mail goes on doing so.
        login = CASE
            WHEN $5::text IS NOT NULL THEN $5
            WHEN $8::text IS NOT NULL AND folded(account.login) = folded(account.email) THEN $8
            ELSE account.login
        END,
        name = coalesce($6, account.name),
        surname = coalesce($7, account.surname),
        email = coalesce($8, account.email),
        email_verified_at = CASE
            WHEN folded($8) IS DISTINCT FROM folded(account.email) AND $8 IS NOT NULL THEN NULL
            ELSE account.email_verified_at
        END,
        telegram_id = CASE WHEN $9::bigint IS NULL THEN account.telegram_id ELSE nullif($9, 0) END,
        password = coalesce($10, account.password),
        roles = CASE WHEN $11::text[] IS NULL THEN account.roles ELSE ARRAY(
            SELECT role FROM unnest(account.roles) AS role WHERE role <> ALL ($12::text[])
            UNION
            SELECT role FROM unnest($11) AS role
        ) END,
        seal = CASE WHEN $10 IS NULL AND $11 IS NULL THEN account.seal ELSE gen_random_uuid() END
    FROM caller($1) AS me
    WHERE account.id = $4 AND account.erased_at IS NULL
        AND (account.id = me.id OR manages(me, account, $13))
    RETURNING account,
        write_audit(
            CASE
                WHEN $11::text[] IS NOT NULL THEN 'roles-changed'
                WHEN $10::text IS NOT NULL THEN 'password-changed'
                ELSE 'changed'
            END,
            account.id, $1, $2, $3, me.id, array_to_string($11::text[], ' ')),
        CASE WHEN $10 IS NOT NULL THEN send_security_notice(account.id, 'password-changed', $2) END
), resealed AS (
    UPDATE session SET seal = (changed.account).seal
    FROM changed WHERE session.id = $1 AND session.account = (changed.account).id
), void AS (
    DELETE FROM letter USING changed
    WHERE $10 IS NOT NULL AND letter.account = (changed.account).id AND letter.purpose = 'reset'
), told AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'user:updated', 'user:' || (account).id,
        jsonb_build_object('id', (account).id, 'email', (account).email)
    FROM changed WHERE $8 IS NOT NULL
), warned AS (
    -- The person at the old mailbox may be the account's real owner.
    SELECT count(send_notice(before.id, 'email-changed',
        jsonb_build_object('email', before.email, 'address', $2::text))) AS notices
    FROM changed JOIN before ON before.id = (changed.account).id
    WHERE folded(before.email) <> folded((account).email)
)
SELECT person.*,
    CASE WHEN $10 IS NULL AND $11 IS NULL THEN '{}' ELSE end_sessions(person.id, $1, 'changed') END AS ended
FROM changed, person(changed.account), warned
