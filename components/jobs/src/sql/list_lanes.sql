SELECT
    consumer,
    name,
    max_running,
    rank,
    paused_by,
    CASE WHEN not_before > now() THEN millis(not_before) END AS rests_until,
    failures
FROM events.lane
ORDER BY consumer, rank, name
LIMIT 1000
