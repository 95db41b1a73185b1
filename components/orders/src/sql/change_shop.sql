-- $1 shop, $2 name, $3 owner, $4 time zone; absent fields stay
UPDATE shop SET name = coalesce($2, name), owner = coalesce($3, owner), time_zone = coalesce($4, time_zone)
WHERE id = $1
RETURNING id, name, owner, time_zone
