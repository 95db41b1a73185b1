-- $1 session that asks, $2 session that ends, $3 address, $4 request id
WITH ended AS (
    UPDATE session SET ended_at = now(), ended_because = 'signed-out'
    FROM caller($1) AS me
    WHERE session.id = $2 AND session.account = me.id AND session.ended_at IS NULL
    RETURNING session.id, session.account
), audited AS (
    INSERT INTO audit (what, account, session, address, request_id)
    SELECT 'signed-out', account, id, $3, $4 FROM ended
)
SELECT id FROM ended
