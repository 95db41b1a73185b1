-- $1 city, $2 part of the name, $3 type, $4 owner, $5 and $6 window in ms, $7 lowest rate, $8 highest rate,
-- $9 latitude, $10 longitude, $11 limit, $12 offset
-- With a window: only places that have room for all of it, and how much. With coordinates: the nearest first.
SELECT id, owner, name, city, address, parking_type, hourly_rate, capacity, latitude, longitude, free, distance_km
FROM (
    SELECT *,
        CASE WHEN $9::float8 IS NOT NULL AND latitude IS NOT NULL THEN
            -- Haversine. Rounding may lift the radicand a little above 1.
            2 * 6371 * asin(least(1, sqrt(
                sind((latitude - $9) / 2) ^ 2
                + cosd(latitude) * cosd($9) * sind((longitude - $10::float8) / 2) ^ 2
            )))
        END AS distance_km
    FROM place
    WHERE deleted_at IS NULL
        AND ($1::text IS NULL OR city = $1)
        AND ($2::text IS NULL OR strpos(lower(name), lower($2)) > 0)
        AND ($3::text IS NULL OR parking_type = $3)
        AND ($4::uuid IS NULL OR owner = $4)
        AND ($7::bigint IS NULL OR hourly_rate >= $7)
        AND ($8::bigint IS NULL OR hourly_rate <= $8)
    -- Sorted before free room is counted, so that counting ends with the page.
    ORDER BY distance_km, id
) AS found
CROSS JOIN LATERAL (
    SELECT CASE WHEN $5::bigint IS NOT NULL THEN
        capacity - peak(id, moment($5), moment($6))
    END AS free
    -- An optimization fence: otherwise it would be counted again wherever it is named.
    OFFSET 0
) AS room
WHERE $5::bigint IS NULL OR free > 0
-- Written so that the planner sees, with coordinates and without, that the places are in this order already.
ORDER BY CASE WHEN $9::float8 IS NOT NULL THEN distance_km END, id
LIMIT $11::bigint OFFSET $12::bigint
