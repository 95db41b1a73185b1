-- $1 owner
SELECT card.* FROM destination_card AS card WHERE owner = $1 ORDER BY created_at, id
