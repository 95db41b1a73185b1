-- $1 limit of bookings
-- What owners have earned and cannot spend yet. A minute after the end nothing is decided about a booking
-- any more; what was decided may still have to be paid or paid back, and until then the money stays.
SELECT over.id AS booking_id, charge.id AS charge_id
FROM (
    SELECT id
    FROM booking
    WHERE status = 'Confirmed' AND kept_to > date_to AND date_to < now() - interval '1 minute'
        AND NOT EXISTS (SELECT FROM charge WHERE booking_id = booking.id AND status = 'opening')
        AND NOT EXISTS (SELECT FROM refund WHERE booking_id = booking.id AND status = 'owed')
    ORDER BY date_to
    LIMIT $1::bigint
) AS over
LEFT JOIN charge ON booking_id = over.id AND status = 'paid'
