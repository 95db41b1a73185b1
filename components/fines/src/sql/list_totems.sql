-- $1 limit, $2 offset
SELECT shown.*
FROM totem
CROSS JOIN LATERAL show_totem(totem) AS shown
ORDER BY totem.id
LIMIT $1::bigint OFFSET $2::bigint
