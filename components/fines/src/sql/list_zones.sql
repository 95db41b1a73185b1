-- $1 limit, $2 offset
SELECT shown.*
FROM zone
CROSS JOIN LATERAL show_zone(zone) AS shown
WHERE removed_at IS NULL
ORDER BY zone.id
LIMIT $1::bigint OFFSET $2::bigint
