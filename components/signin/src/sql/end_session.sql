-- $1 session that asks, $2 address, $3 request id, $4 session that ends
UPDATE session SET ended_at = now(), ended_because = 'signed-out'
FROM caller($1) AS me
WHERE session.id = $4 AND session.account = me.id AND session.ended_at IS NULL
RETURNING session.id, write_audit('signed-out', session.account, session.id, $2, $3)
