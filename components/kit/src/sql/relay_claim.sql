-- $1 at most of urgent lanes, $2 at most of others, $3 lease in milliseconds
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
FROM events.claim_deliveries($1, $2, $3)
