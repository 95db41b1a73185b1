-- $1 session, $2 id of whom, $3 whether, $4 address, $5 request id
WITH changed AS (
    UPDATE account SET
        disabled_at = CASE WHEN $3 THEN coalesce(account.disabled_at, now()) END,
        seal = gen_random_uuid()
    FROM caller($1) AS me
    WHERE account.id = $2 AND account.erased_at IS NULL AND 'admin' = ANY (me.roles) AND account.id <> me.id
    RETURNING account, me.id AS actor
), audited AS (
    INSERT INTO audit (what, account, session, actor, address, request_id)
    SELECT CASE WHEN $3 THEN 'disabled' ELSE 'enabled' END, (account).id, $1, actor, $4, $5 FROM changed
)
SELECT person.*, end_sessions(person.id, NULL, 'disabled') AS ended FROM changed, person(changed.account)
