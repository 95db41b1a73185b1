-- $1 file, $2 viewer, $3 roles
SELECT outcome, shown.*, (upload).id AS upload_id, (upload).size AS upload_size, (upload).part_size, (upload).s3_id
FROM find_upload($1, $2, $3)
CROSS JOIN LATERAL show_file(subject) AS shown
