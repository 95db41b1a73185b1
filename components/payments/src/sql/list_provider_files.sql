-- $1 limit, $2 offset
SELECT shown.*
FROM (SELECT id, imported_at FROM provider_file ORDER BY imported_at DESC, id LIMIT $1 OFFSET $2) AS listed
CROSS JOIN LATERAL show_provider_file(listed.id) AS shown
ORDER BY listed.imported_at DESC, listed.id
