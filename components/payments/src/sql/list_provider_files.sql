-- $1 limit, $2 offset, $3 after this file or null
SELECT shown.*
FROM (
    SELECT id, imported_at FROM provider_file
    WHERE $3::uuid IS NULL OR (imported_at, id) < (SELECT imported_at, id FROM provider_file WHERE id = $3)
    ORDER BY imported_at DESC, id DESC
    LIMIT $1::bigint OFFSET $2::bigint
) AS listed
CROSS JOIN LATERAL show_provider_file(listed.id) AS shown
ORDER BY listed.imported_at DESC, listed.id DESC
