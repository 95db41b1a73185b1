-- $1 shop
SELECT id, name, owner, time_zone
FROM shop
WHERE id = $1
