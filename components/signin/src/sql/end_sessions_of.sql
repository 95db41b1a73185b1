-- $1 session, $2 address, $3 request id, $4 account
-- Of another person, by an admin.
WITH changed AS (
    UPDATE account SET seal = gen_random_uuid()
    FROM caller($1) AS me
    WHERE account.id = $4 AND account.erased_at IS NULL AND 'admin' = ANY (me.roles) AND account.id <> me.id
    RETURNING account.id, write_audit('signed-out-everywhere', account.id, $1, $2, $3, me.id)
)
SELECT end_sessions(id, NULL, 'signed-out') AS ended FROM changed
