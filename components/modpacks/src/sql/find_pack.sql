-- $1 pack, $2 viewer, $3 roles, $4 link
SELECT shown.*
FROM pack CROSS JOIN LATERAL show_pack(pack) AS shown
WHERE pack.id = $1 AND level(pack, $2, $3, $4) > 0
