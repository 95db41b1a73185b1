-- $1 lease in milliseconds
SELECT
    id,
    seq,
    fence,
    kind,
    aggregate,
    payload,
    attempts,
    unsettled,
    millis(created_at) AS created_at
FROM events.reclaim($1)
