-- $1 plate, $2 seconds
-- Bookings of a car that hold now, or ended at most so many seconds ago.
SELECT covering.*
FROM booking
JOIN place ON place.id = place_id
CROSS JOIN LATERAL show_cover(booking, place) AS covering
WHERE booking.plate = $1 AND booking.status = 'Confirmed' AND booking.date_from <= now()
    AND booking.date_to > now() - make_interval(secs => $2::int)
ORDER BY booking.date_to DESC
LIMIT 100
