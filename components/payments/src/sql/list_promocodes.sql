-- $1 limit, $2 offset
SELECT shown.*
FROM promocode AS it
CROSS JOIN LATERAL show_promocode(it) AS shown
ORDER BY it.created_at DESC, it.id
LIMIT $1 OFFSET $2
