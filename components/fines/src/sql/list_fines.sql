-- $1 limit, $2 offset
SELECT shown.*
FROM fine
CROSS JOIN LATERAL show_fine(fine) AS shown
WHERE hidden_at IS NULL
ORDER BY fine.id DESC
LIMIT $1::bigint OFFSET $2::bigint
