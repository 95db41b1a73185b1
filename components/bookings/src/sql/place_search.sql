-- $1 city, $2 part of the name, $3 type, $4 owner, $5 and $6 window in ms, $7 lowest rate, $8 highest rate,
-- $9 latitude, $10 longitude, $11 limit, $12 offset
-- With a window: only places that have room for all of it, and how much. With coordinates: the nearest first.
WITH wanted AS (
    SELECT to_timestamp($5::bigint / 1000.0) AS starts, to_timestamp($6::bigint / 1000.0) AS ends
)
SELECT id, owner, name, city, address, parking_type, hourly_rate, capacity, latitude, longitude, free
FROM place
CROSS JOIN wanted
CROSS JOIN LATERAL (
    SELECT CASE WHEN $5::bigint IS NOT NULL THEN capacity - peak(id, starts, ends) END AS free
) AS room
WHERE deleted_at IS NULL
    AND ($1::text IS NULL OR city = $1)
    AND ($2::text IS NULL OR strpos(lower(name), lower($2)) > 0)
    AND ($3::text IS NULL OR parking_type = $3)
    AND ($4::uuid IS NULL OR owner = $4)
    AND (free IS NULL OR free > 0)
    AND ($7::bigint IS NULL OR hourly_rate >= $7)
    AND ($8::bigint IS NULL OR hourly_rate <= $8)
ORDER BY
    -- The haversine of the angle between the two: monotonous in the distance, and cheap.
    CASE WHEN $9::float8 IS NOT NULL THEN
        sind((latitude - $9) / 2) ^ 2
        + cosd(latitude) * cosd($9) * sind((longitude - $10::float8) / 2) ^ 2
    END,
    id
LIMIT $11::bigint OFFSET $12::bigint
