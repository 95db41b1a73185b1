-- $1 upload, $2 S3's id of it
UPDATE upload SET s3_id = coalesce(s3_id, $2) WHERE id = $1 RETURNING s3_id
