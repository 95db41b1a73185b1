-- $1 session, $2 address, $3 request id
WITH ended AS (
    UPDATE session SET ended_at = now(), ended_because = 'signed-out'
    FROM caller($1)
    WHERE session.id = $1 AND session.ended_at IS NULL
    RETURNING session.id, session.account
), audited AS (
    INSERT INTO audit (what, account, session, address, request_id)
    SELECT 'signed-out', account, id, $2, $3 FROM ended
)
SELECT id FROM ended
