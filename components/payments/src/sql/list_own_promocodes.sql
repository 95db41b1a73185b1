-- $1 maker, $2 limit, $3 offset
SELECT shown.*
FROM promocode AS it
CROSS JOIN LATERAL show_promocode(it) AS shown
WHERE it.created_by = $1 AND EXISTS (SELECT FROM transfer WHERE transfer.id = it.id)
ORDER BY it.created_at DESC, it.id
LIMIT $2 OFFSET $3
