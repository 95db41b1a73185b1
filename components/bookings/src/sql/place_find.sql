-- $1 id
SELECT id, owner, name, city, address, parking_type, hourly_rate, capacity, latitude, longitude, NULL::bigint AS free, NULL::float8 AS distance_km
FROM place
WHERE id = $1 AND deleted_at IS NULL
