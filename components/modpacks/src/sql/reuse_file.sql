-- $1 pack, $2 version, $3 viewer, $4 roles, $5 file, $6 path, $7 original name, $8 side, $9 optional, $10 kept,
-- $11 default quota
SELECT outcome, shown.*
FROM reuse_file($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
CROSS JOIN LATERAL show_file(subject) AS shown
