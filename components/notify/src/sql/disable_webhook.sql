-- $1 id, $2 reason
WITH disabled AS (
    UPDATE webhook SET disabled_at = now(), disabled_because = $2 WHERE id = $1 AND disabled_at IS NULL
    RETURNING webhook
)
SELECT tell_disabled(webhook) FROM disabled
