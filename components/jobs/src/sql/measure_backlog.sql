-- What is not carried out, by function, lane and kind.
SELECT
    consumer,
    lane,
    kind,
    count(*) FILTER (WHERE state = 'ready') AS ready,
    count(*) FILTER (WHERE state = 'blocked') AS blocked,
    count(*) FILTER (WHERE state = 'running') AS running,
    count(*) FILTER (WHERE state = 'retrying') AS retrying,
    count(*) FILTER (WHERE state = 'parked') AS parked,
    count(*) FILTER (WHERE state = 'dead') AS dead,
    extract(epoch FROM now() - min(created_at) FILTER (WHERE state NOT IN ('dead', 'parked')))::bigint AS oldest_s,
    EXISTS (SELECT FROM events.pause WHERE pause.kind = delivery.kind) AS paused
FROM events.delivery
GROUP BY consumer, lane, kind
ORDER BY consumer, lane, kind
