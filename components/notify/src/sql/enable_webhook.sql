-- $1 id, $2 owner
WITH enabled AS (
    UPDATE webhook
    SET disabled_at = NULL, disabled_because = NULL, failing_since = NULL, failures = 0, rests_until = NULL
    WHERE id = $1 AND owner = $2
    RETURNING webhook AS it
)
SELECT shown.*
FROM enabled
CROSS JOIN LATERAL show_webhook(enabled.it) AS shown
