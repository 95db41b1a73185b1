-- $1 west, $2 south, $3 east, $4 north, $5 seconds
-- The same of all cars, on the places of a part of the map. `booking_live` is the index of bookings that are not canceled,
-- by when their place is free again and when it is taken.
SELECT covering.*
FROM place
JOIN booking ON place_id = place.id
CROSS JOIN LATERAL show_cover(booking, place) AS covering
WHERE place.latitude IS NOT NULL
    AND point(place.longitude, place.latitude) <@ box(point($1::float8, $2::float8), point($3::float8, $4::float8))
    AND booking.status <> 'Canceled' AND booking.held_to > now() - make_interval(secs => $5::int)
    AND least(booking.date_from, booking.held_from) <= now()
    AND booking.status = 'Confirmed' AND booking.plate IS NOT NULL AND booking.date_from <= now()
    AND booking.date_to > now() - make_interval(secs => $5)
ORDER BY booking.plate, booking.date_to DESC
LIMIT 20000
