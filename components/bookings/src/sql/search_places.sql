-- $1 city, $2 part of the name, $3 type, $4 owner, $5 and $6 window in ms, $7 lowest rate, $8 highest rate,
-- $9 latitude, $10 longitude, $11 the place after which the list goes on, $12 how many are left out, $13 limit
-- With a window: only places that have room for all of it, and how much. With coordinates: the nearest first.
SELECT id, owner, name, city, address, parking_type, hourly_rate, capacity, latitude, longitude, free, distance_km,
    reached, left_out
FROM search_places($1, $2, $3, $4, moment($5), moment($6), $7, $8, $9, $10, $11, $12, $13)
LEFT JOIN place ON place.id = place_id
ORDER BY rank, place_id NULLS LAST
