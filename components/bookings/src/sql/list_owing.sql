-- $1 the booking after which the list goes on, $2 limit
-- Bookings whose drivers still owe for leaving late, the oldest first.
SELECT shown.*
FROM booking
CROSS JOIN LATERAL show_booking(booking) AS shown
WHERE booking.overstay_paid < booking.overstay_cost AND booking.id > coalesce($1::bigint, 0)
ORDER BY booking.id
LIMIT $2::bigint
