-- $1 state, $2 kind, $3 aggregate, $4 before, $5 limit
SELECT *
FROM events.entry
WHERE ($1::text IS NULL OR state = $1)
    AND ($2::text IS NULL OR kind = $2)
    AND ($3::text IS NULL OR aggregate = $3)
    AND ($4::bigint IS NULL OR seq < $4)
ORDER BY seq DESC
LIMIT $5
