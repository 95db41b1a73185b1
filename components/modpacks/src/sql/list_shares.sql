-- $1 pack, $2 viewer, $3 roles
SELECT login, role
FROM pack_share
JOIN pack ON pack.id = pack_id
WHERE pack_id = $1 AND level(pack, $2, $3, NULL) >= 2
ORDER BY role, login
