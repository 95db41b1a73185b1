-- $1 id, $2 owner
DELETE FROM webhook WHERE id = $1 AND owner = $2
