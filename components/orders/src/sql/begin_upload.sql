-- $1 photo, $2 upload
UPDATE photo SET upload = $2 WHERE id = $1
