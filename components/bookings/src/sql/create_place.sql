-- $1 owner, $2 name, $3 city, $4 address, $5 type, $6 rate, $7 capacity, $8 latitude, $9 longitude
INSERT INTO place (owner, name, city, address, parking_type, hourly_rate, capacity, latitude, longitude)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
RETURNING id
