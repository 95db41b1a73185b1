-- $1 session, $2 address, $3 request id, $4 account, $5 login, $6 name, $7 surname, $8 e-mail,
-- $9 telegram id or 0 for none, $10 password hash, $11 roles to add, $12 roles to drop, $13 whether as an admin;
-- $14 digest, $15 secret and $16 seconds of a letter that proves the e-mail; what is null stays as it is
-- When the owner replaces a proven e-mail, the new one is only *wanted* until it is proven by a letter that goes there. A
-- new password or other roles end every session but the caller's. A new password voids letters that could reset it.
WITH before AS (
    SELECT account.id, account.email, account.email_verified_at IS NOT NULL AS is_proven,
        $8::text IS NOT NULL AND account.email_verified_at IS NOT NULL AND account.id = me.id
            AND folded($8) <> folded(account.email) AS is_wanted
    FROM caller($1) AS me, account WHERE account.id = $4
), changed AS (
    UPDATE account SET
        -- A login that is the e-mail follows the e-mail.
        login = CASE
            WHEN $5::text IS NOT NULL THEN $5
            WHEN $8::text IS NOT NULL AND NOT is_wanted AND folded(account.login) = folded(account.email) THEN $8
            ELSE account.login
        END,
        name = coalesce($6, account.name),
        surname = coalesce($7, account.surname),
        email = CASE WHEN is_wanted THEN account.email ELSE coalesce($8, account.email) END,
        email_wanted = CASE WHEN $8 IS NULL THEN account.email_wanted WHEN is_wanted THEN $8 END,
        email_verified_at = CASE
            WHEN is_wanted THEN account.email_verified_at
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
    FROM caller($1) AS me, before
    WHERE account.id = $4 AND before.id = account.id AND account.erased_at IS NULL
        AND (account.id = me.id OR manages(me, account, $13))
    RETURNING account, before.is_wanted,
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
), letters AS (
    INSERT INTO letter (digest, account, purpose, email, expires_at)
    SELECT $14, (account).id, 'verify', $8, now() + $16::bigint * interval '1 second' FROM changed WHERE is_wanted
    RETURNING send_notice(account, 'verify-email',
        jsonb_build_object('email', email, 'token', $15::text, 'minutes', $16 / 60))
), told AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'user:updated', 'user:' || (account).id,
        jsonb_build_object('id', (account).id, 'email', (account).email)
    FROM changed WHERE $8 IS NOT NULL AND NOT is_wanted
), warned AS (
    -- The person at the old mailbox may be the account's real owner. A mailbox that was never proven may be a stranger's
    -- and gets no notice.
    SELECT count(send_notice(before.id, 'email-changed',
        jsonb_build_object('email', before.email, 'address', $2::text))) AS notices
    FROM changed JOIN before ON before.id = (changed.account).id
    WHERE before.is_proven AND folded(before.email) <> folded((account).email)
)
SELECT person.*,
    CASE WHEN $10 IS NULL AND $11 IS NULL THEN '{}' ELSE end_sessions(person.id, $1, 'changed') END AS ended
FROM changed, person(changed.account), warned
