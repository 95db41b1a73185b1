SELECT
    consumer,
    lane,
    kind,
    ready,
    blocked,
    running,
    retrying,
    parked,
    dead,
    extract(epoch FROM now() - oldest_at)::bigint AS oldest_s,
    EXISTS (SELECT FROM events.pause WHERE pause.kind = waiting.kind) AS paused
FROM events.measure_backlog() AS waiting
ORDER BY consumer, lane, kind
