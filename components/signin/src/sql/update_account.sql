-- $1 session, $2 id of whom, $3 login, $4 name, $5 surname, $6 e-mail, $7 telegram id or 0 for none,
-- $8 password hash, $9 roles to add, $10 roles to drop, $11 whether as an admin, $12 address,
-- $13 request id; what is null stays as it is
-- A new password or other roles end every session but the one that asks. A letter that would
-- change the password is void once it was changed.
WITH before AS (
    SELECT id, email FROM account WHERE id = $2
), changed AS (
    UPDATE account SET
        -- Who signs in by e-mail goes on doing so.
        login = CASE
            WHEN $3::text IS NOT NULL THEN $3
            WHEN $6::text IS NOT NULL AND folded(account.login) = folded(account.email) THEN $6
            ELSE account.login
        END,
        name = coalesce($4, account.name),
        surname = coalesce($5, account.surname),
        email = coalesce($6, account.email),
        email_verified_at = CASE
            WHEN folded($6) IS DISTINCT FROM folded(account.email) AND $6 IS NOT NULL THEN NULL
            ELSE account.email_verified_at
        END,
        telegram_id = CASE WHEN $7::bigint IS NULL THEN account.telegram_id ELSE nullif($7, 0) END,
        password = coalesce($8, account.password),
        roles = CASE WHEN $9::text[] IS NULL THEN account.roles ELSE ARRAY(
            SELECT role FROM unnest(account.roles) AS role WHERE role <> ALL ($10::text[])
            UNION
            SELECT role FROM unnest($9) AS role
        ) END,
        seal = CASE WHEN $8 IS NULL AND $9 IS NULL THEN account.seal ELSE gen_random_uuid() END
    FROM caller($1) AS me
    WHERE account.id = $2 AND account.erased_at IS NULL
        AND (account.id = me.id OR manages(me, account, $11))
    RETURNING account, me.id AS actor
), resealed AS (
    UPDATE session SET seal = (changed.account).seal
    FROM changed WHERE session.id = $1 AND session.account = (changed.account).id
), void AS (
    DELETE FROM letter USING changed
    WHERE $8 IS NOT NULL AND letter.account = (changed.account).id AND letter.purpose = 'reset'
), told AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'user:updated', 'user:' || (account).id,
        jsonb_build_object('id', (account).id, 'email', (account).email)
    FROM changed WHERE $6 IS NOT NULL
), warned AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'notify', 'user:' || (account).id, jsonb_build_object(
        'user_id', (account).id, 'template', 'password-changed', 'params', jsonb_build_object('address', $12::text))
    FROM changed WHERE $8 IS NOT NULL
), warned_there AS (
    -- Whoever reads the old mailbox may be the one whose account it is.
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'notify', 'user:' || before.id, jsonb_build_object(
        'user_id', before.id, 'template', 'email-changed',
        'params', jsonb_build_object('email', before.email, 'address', $12::text))
    FROM changed JOIN before ON before.id = (changed.account).id
    WHERE folded(before.email) <> folded((account).email)
), audited AS (
    INSERT INTO audit (what, account, session, actor, address, request_id, detail)
    SELECT CASE WHEN $9 IS NOT NULL THEN 'roles-changed' WHEN $8 IS NOT NULL THEN 'password-changed' ELSE 'changed' END,
        (account).id, $1, nullif(actor, (account).id), $12, $13, array_to_string($9, ' ')
    FROM changed
)
SELECT person.*,
    CASE WHEN $8 IS NULL AND $9 IS NULL THEN '{}' ELSE end_sessions(person.id, $1, 'changed') END AS ended
FROM changed, person(changed.account)
