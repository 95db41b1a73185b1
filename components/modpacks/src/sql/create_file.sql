-- $1 pack, $2 version, $3 viewer, $4 roles, $5 path, $6 original name, $7 size, $8 side, $9 optional, $10 kept,
-- $11 sha1, $12 sha256, $13 sha512, $14 bytes of a part, $15 default quota
SELECT outcome, shown.*, (upload).id AS upload_id, (upload).size AS upload_size, (upload).part_size, (upload).s3_id
FROM create_file($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
CROSS JOIN LATERAL show_file(subject) AS shown
