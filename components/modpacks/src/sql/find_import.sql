-- $1 pack, $2 import, $3 viewer, $4 roles
SELECT shown.*
FROM import AS i
JOIN pack ON pack.id = i.pack_id
CROSS JOIN LATERAL show_import(i) AS shown
WHERE i.pack_id = $1 AND i.id = $2 AND level(pack, $3, $4, NULL) >= 2
