-- $1 session, $2 address, $3 request id
WITH changed AS (
    UPDATE account SET seal = gen_random_uuid()
    FROM caller($1) AS me WHERE account.id = me.id
    RETURNING account.id, write_audit('signed-out-everywhere', account.id, $1, $2, $3)
)
SELECT end_sessions(id, NULL, 'signed-out') AS ended FROM changed
