-- $1 pack, $2 version, $3 viewer, $4 roles, $5 path, $6 original name, $7 size, $8 side, $9 optional, $10 address,
-- $11 sha1, $12 sha256, $13 sha512
SELECT outcome FROM link_file($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
