-- $1 webhook, $2 event, $3 template, $4 status, $5 error or null, $6 how long it took, $7 the `Retry-After` of its
-- answer in milliseconds, of which a day counts at most: a webhook that asks for years would never be disabled
-- Calls that failed at the same time count as one failure. A webhook that has failed for a day is disabled, and its owner
-- is told.
WITH called AS MATERIALIZED (
    SELECT * FROM webhook WHERE id = $1
), noted AS (
    INSERT INTO attempt (webhook, event, template, status, error, took_ms)
    SELECT id, $2, $3, $4, $5, $6 FROM called WHERE commit_with_settlement()
), recovered AS (
    UPDATE webhook SET failing_since = NULL, failures = 0, rests_until = NULL
    WHERE id = $1 AND $5::text IS NULL AND failures > 0
), failed AS (
    UPDATE webhook SET
        failing_since = coalesce(failing_since, now()),
        failures = failures + 1,
        rests_until = now() + greatest(
            least(interval '1 hour', interval '1 second' * power(2, least(failures, 12))),
            interval '1 millisecond' * least(coalesce($7::bigint, 0), 24 * 60 * 60 * 1000)
        ),
        disabled_at = CASE WHEN failing_since < now() - interval '1 day' THEN now() END,
        disabled_because = CASE WHEN failing_since < now() - interval '1 day' THEN 'it took nothing for a day' END
    WHERE id = $1 AND $5 IS NOT NULL AND disabled_at IS NULL AND (rests_until IS NULL OR rests_until <= now())
    RETURNING webhook
)
SELECT tell_disabled(webhook) FROM failed WHERE (webhook).disabled_at IS NOT NULL
