-- $1 booking
SELECT shown.*, owner
FROM booking
JOIN place ON place.id = place_id
CROSS JOIN LATERAL show_booking(booking) AS shown
WHERE booking.id = $1 AND booking.deleted_at IS NULL
