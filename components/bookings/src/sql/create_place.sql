-- $1 request, $2 owner, $3 name, $4 city, $5 address, $6 type, $7 rate, $8 capacity, $9 latitude, $10 longitude
WITH made AS (
    INSERT INTO place (request, owner, name, city, address, parking_type, hourly_rate, capacity, latitude, longitude)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (request) DO NOTHING
    RETURNING id
)
SELECT id FROM made
UNION ALL
SELECT id FROM place WHERE request = $1 AND NOT EXISTS (SELECT FROM made)
