-- $1 ids of objects, $2 their sizes, $3 where the page begins, $4 where it ends; both may be null
-- Objects without a row, and live blobs of the page without their object.
WITH object AS (
    SELECT listed.id::uuid AS id, listed.size FROM unnest($1::text[], $2::bigint[]) AS listed (id, size)
)
SELECT o.id, false AS lost, '' AS sha256, o.size, 0::bigint AS files
FROM object AS o
WHERE NOT EXISTS (SELECT FROM blob WHERE id = o.id) AND NOT EXISTS (SELECT FROM upload WHERE id = o.id)
UNION ALL
SELECT b.id, true, b.sha256, b.size, b.refs
FROM blob AS b
LEFT JOIN object AS o ON o.id = b.id
WHERE b.status = 'live' AND ($3::uuid IS NULL OR b.id > $3) AND ($4::uuid IS NULL OR b.id <= $4)
    AND o.size IS DISTINCT FROM b.size
