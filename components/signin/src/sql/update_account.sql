-- $1 session, $2 id of whom, $3 name, $4 surname, $5 e-mail, $6 password hash, $7 roles to add, $8 roles to drop,
-- $9 address, $10 request id; what is null stays as it is
-- A new password or other roles end every session but the one that asks.
WITH changed AS (
    UPDATE account SET
        name = coalesce($3, account.name),
        surname = coalesce($4, account.surname),
        -- Who signs in by e-mail goes on doing so.
        login = CASE
            WHEN $5::text IS NOT NULL AND folded(account.login) = folded(account.email) THEN $5
            ELSE account.login
        END,
        email = coalesce($5, account.email),
        email_verified_at = CASE
            WHEN folded($5) IS DISTINCT FROM folded(account.email) AND $5 IS NOT NULL THEN NULL
            ELSE account.email_verified_at
        END,
        password = coalesce($6, account.password),
        roles = CASE WHEN $7::text[] IS NULL THEN account.roles ELSE ARRAY(
            SELECT role FROM unnest(account.roles) AS role WHERE role <> ALL ($8::text[])
            UNION
            SELECT role FROM unnest($7) AS role
        ) END,
        seal = CASE WHEN $6 IS NULL AND $7 IS NULL THEN account.seal ELSE gen_random_uuid() END
    FROM caller($1) AS me
    WHERE account.id = $2 AND account.erased_at IS NULL
        AND (account.id = me.id OR 'admin' = ANY (me.roles) OR account.created_by = me.id)
    RETURNING account, me.id AS actor
), resealed AS (
    UPDATE session SET seal = (changed.account).seal
    FROM changed WHERE session.id = $1 AND session.account = (changed.account).id
), told AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'user:updated', 'user:' || (account).id,
        jsonb_build_object('id', (account).id, 'email', (account).email)
    FROM changed WHERE $5 IS NOT NULL
), audited AS (
    INSERT INTO audit (what, account, session, actor, address, request_id, detail)
    SELECT CASE WHEN $7 IS NOT NULL THEN 'roles-changed' WHEN $6 IS NOT NULL THEN 'password-changed' ELSE 'changed' END,
        (account).id, $1, nullif(actor, (account).id), $9, $10, array_to_string($7, ' ')
    FROM changed
)
SELECT person.*,
    CASE WHEN $6 IS NULL AND $7 IS NULL THEN '{}' ELSE end_sessions(person.id, $1, 'changed') END AS ended
FROM changed, person(changed.account)
