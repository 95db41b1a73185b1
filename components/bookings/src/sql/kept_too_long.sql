-- $1 limit of bookings
-- What owners have earned and still cannot spend, since a booking ended sooner than was first paid for.
-- A minute later nothing changes about its end any more, unless an extension is still being paid.
SELECT booking_id, charge.id AS charge_id
FROM (
    SELECT id
    FROM booking
    WHERE status = 'Confirmed' AND kept_to > date_to AND date_to < now() - interval '1 minute'
        AND NOT EXISTS (SELECT FROM charge WHERE booking_id = booking.id AND status = 'opening')
    ORDER BY date_to
    LIMIT $1::bigint
) AS over
JOIN charge ON booking_id = over.id AND status = 'paid'
