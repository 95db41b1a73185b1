-- $1 id, $2 caller, $3 caller is admin, $4 name, $5 city, $6 address, $7 type, $8 rate, $9 capacity, $10 latitude, $11 longitude
SELECT outcome, (subject).id, (subject).owner, (subject).name, (subject).city, (subject).address, (subject).parking_type,
    (subject).hourly_rate, (subject).capacity, (subject).latitude, (subject).longitude, NULL::bigint AS free, NULL::float8 AS distance_km
FROM place_change($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
