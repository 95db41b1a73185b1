-- $1 limit
SELECT shown.*
FROM photo
JOIN fine ON fine.id = fine_id
CROSS JOIN LATERAL show_photo(photo) AS shown
WHERE anonymized_at IS NOT NULL OR (photo.sha256 IS NULL AND photo.added_at < now() - interval '1 day')
ORDER BY photo.added_at
LIMIT $1::bigint
