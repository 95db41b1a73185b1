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
    (extract(epoch FROM created_at) * 1000)::bigint AS created_at
FROM events.claim($1, $2)
