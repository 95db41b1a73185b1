-- $1 file, $2 viewer, $3 roles
SELECT s.login, s.role
FROM file_share AS s
JOIN file AS f ON f.id = s.file_id
JOIN pack ON pack.id = f.pack_id
WHERE s.file_id = $1 AND level(pack, $2, $3, NULL) >= 2
ORDER BY s.role, s.login
