-- $1 member of staff, $2 limit, $3 offset
SELECT id, name, owner, time_zone
FROM shop
WHERE id IN (SELECT shop_id FROM staff WHERE user_id = $1)
ORDER BY id
LIMIT $2::bigint OFFSET $3::bigint
