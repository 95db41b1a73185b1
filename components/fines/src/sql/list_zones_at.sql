-- $1 latitude, $2 longitude
-- Zones whose bounds contain the place; the component then checks their geometry.
SELECT shown.*
FROM zone
CROSS JOIN LATERAL show_zone(zone) AS shown
WHERE removed_at IS NULL
    AND box(point(west, south), point(east, north)) && box(point($2::float8, $1::float8), point($2, $1))
ORDER BY zone.id
