-- $1 file, $2 viewer, $3 roles, $4 link
SELECT shown.*
FROM file AS f
JOIN pack ON pack.id = f.pack_id
LEFT JOIN version AS v ON v.id = f.version_id
CROSS JOIN LATERAL show_file(f) AS shown
WHERE f.id = $1 AND pack.deleted_at IS NULL AND sees_file(f, v, level(pack, $2, $3, $4), $2, $3)
