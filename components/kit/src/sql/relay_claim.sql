-- $1 at most, $2 lease in milliseconds
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
FROM events.claim($1, $2)
