-- $1 id, $2 owner
SELECT * FROM webhook_card WHERE id = $1 AND owner = $2
