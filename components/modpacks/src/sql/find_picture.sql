-- $1 pack, $2 file, $3 viewer, $4 roles, $5 link
SELECT f.blob_id AS object, p.media_type
FROM picture AS p
JOIN file AS f ON f.id = p.file_id AND NOT f.is_restricted
JOIN pack ON pack.id = p.pack_id
WHERE p.pack_id = $1 AND p.file_id = $2 AND level(pack, $3, $4, $5) > 0
LIMIT 1
