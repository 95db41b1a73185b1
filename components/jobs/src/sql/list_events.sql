-- $1 state, $2 kind, $3 consumer, $4 aggregate, $5 before, $6 limit
SELECT *
FROM events.entry
WHERE ($1::text IS NULL OR state = $1)
    AND ($2::text IS NULL OR kind = $2)
    AND ($3::text IS NULL OR consumer = $3)
    AND ($4::text IS NULL OR aggregate = $4)
    AND ($5::bigint IS NULL OR seq < $5)
ORDER BY seq DESC
LIMIT $6
