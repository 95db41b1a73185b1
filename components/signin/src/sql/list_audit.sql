-- $1 session, $2 account, $3 only rows before this one, or none, $4 limit
SELECT audit.id, millis(at) AS at, what, session, actor, address, request_id, detail
FROM caller($1) AS me JOIN audit ON audit.account = $2
WHERE ($2 = me.id OR 'admin' = ANY (me.roles)) AND ($3::bigint IS NULL OR audit.id < $3)
ORDER BY audit.id DESC
LIMIT $4
