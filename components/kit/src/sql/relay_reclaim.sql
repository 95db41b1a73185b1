-- $1 lease in milliseconds
SELECT
    delivery,
    id,
    seq,
    fence,
    kind,
    aggregate,
    payload,
    attempts,
    unsettled,
    millis(created_at) AS created_at,
    request_id,
    traceparent,
    rank
FROM events.reclaim_delivery($1)
