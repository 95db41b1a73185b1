-- $1 id, $2 the `Retry-After` of its answer, in milliseconds
-- Calls that ran at the same time count as one failure. A webhook that took no call for a day is disabled.
UPDATE webhook SET
    failing_since = coalesce(failing_since, now()),
    failures = failures + 1,
    rests_until = now() + greatest(
        least(interval '1 hour', interval '1 second' * power(2, least(failures, 12))),
        interval '1 millisecond' * coalesce($2::bigint, 0)
    ),
    disabled_at = CASE WHEN failing_since < now() - interval '1 day' THEN now() END,
    disabled_because = CASE WHEN failing_since < now() - interval '1 day' THEN 'it took nothing for a day' END
WHERE id = $1 AND disabled_at IS NULL AND (rests_until IS NULL OR rests_until <= now())
