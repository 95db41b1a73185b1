-- Each part reads an index of its own; events that were carried out more than a minute ago are not read.
WITH measured AS (
    SELECT kind, 1 AS waiting, (due_at <= now() AND unsettled = 0)::int AS due, (attempts > 0)::int AS failing,
        0 AS dead, 0 AS done, created_at
    FROM events.outbox WHERE state = 'waiting'
    UNION ALL
    SELECT kind, 0, 0, 0, 1, 0, NULL FROM events.outbox WHERE state = 'dead'
    UNION ALL
    SELECT kind, 0, 0, 0, 0, 1, NULL
    FROM events.outbox WHERE state = 'done' AND settled_at > now() - interval '1 minute'
    UNION ALL
    SELECT kind, 0, 0, 0, 0, 0, NULL FROM events.pause
)
SELECT
    kind,
    sum(waiting)::bigint AS waiting,
    sum(due)::bigint AS due,
    sum(failing)::bigint AS failing,
    sum(dead)::bigint AS dead,
    sum(done)::bigint AS done_last_minute,
    extract(epoch FROM now() - min(created_at))::bigint AS oldest_s,
    EXISTS (SELECT FROM events.pause WHERE pause.kind = measured.kind) AS paused
FROM measured
GROUP BY kind
ORDER BY kind
