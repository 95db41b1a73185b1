-- $1 limit, $2 offset
SELECT owner, basis_points, set_by, reason, millis(set_at) AS set_at
FROM (SELECT DISTINCT ON (owner) * FROM commission ORDER BY owner, id DESC) AS latest
ORDER BY owner NULLS FIRST
LIMIT $1 OFFSET $2
