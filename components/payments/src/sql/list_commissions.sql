-- $1 limit, $2 offset, $3 after this owner or null
-- The default, which has no owner, is on the first page.
SELECT owner, basis_points, set_by, reason, millis(set_at) AS set_at
FROM (
    SELECT DISTINCT ON (owner) * FROM commission
    WHERE $3::uuid IS NULL OR owner > $3
    ORDER BY owner NULLS FIRST, id DESC
    LIMIT $1::bigint OFFSET $2::bigint
) AS latest
ORDER BY owner NULLS FIRST
