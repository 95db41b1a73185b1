-- $1 session, $2 address, $3 request id, $4 account, $5 whether it is disabled
WITH changed AS (
    UPDATE account SET
        disabled_at = CASE WHEN $5 THEN coalesce(account.disabled_at, now()) END,
        seal = gen_random_uuid()
    FROM caller($1) AS me
    WHERE account.id = $4 AND account.erased_at IS NULL AND 'admin' = ANY (me.roles) AND account.id <> me.id
    RETURNING account,
        write_audit(CASE WHEN $5 THEN 'disabled' ELSE 'enabled' END, account.id, $1, $2, $3, me.id)
)
SELECT person.*, end_sessions(person.id, NULL, 'disabled') AS ended FROM changed, person(changed.account)
