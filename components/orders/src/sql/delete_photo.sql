-- $1 photo
DELETE FROM photo WHERE id = $1
