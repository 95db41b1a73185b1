-- $1 limit, $2 offset
SELECT id, name, owner, time_zone
FROM shop
ORDER BY id
LIMIT $1::bigint OFFSET $2::bigint
