-- $1 limit of bookings
-- Money of bookings that are over, or what was kept of canceled ones, which their owners cannot spend yet. A minute
-- after its end a booking cannot change any more; as long as a charge or a refund of it is open, the money stays held.
-- One whose release failed lately is not due: it keeps no younger one from its turn.
SELECT over.id AS booking_id, charge.id AS charge_id
FROM (
    SELECT id
    FROM (
        (SELECT id, date_to
        FROM booking
        WHERE status = 'Confirmed' AND kept_to > date_to AND date_to < now() - interval '1 minute'
            AND NOT EXISTS (SELECT FROM charge WHERE booking_id = booking.id AND status = 'opening')
            AND NOT EXISTS (SELECT FROM charge WHERE booking_id = booking.id AND status = 'paid' AND due_at > now())
            AND NOT EXISTS (SELECT FROM refund WHERE booking_id = booking.id AND status = 'owed')
        ORDER BY date_to
        LIMIT $1::bigint)
        UNION ALL
        (SELECT id, date_to
        FROM booking
        WHERE status = 'Canceled' AND kept_cost > 0 AND kept_to > date_to
            AND NOT EXISTS (SELECT FROM charge WHERE booking_id = booking.id AND status = 'opening')
            AND NOT EXISTS (SELECT FROM charge WHERE booking_id = booking.id AND status = 'paid' AND due_at > now())
            AND NOT EXISTS (SELECT FROM refund WHERE booking_id = booking.id AND status = 'owed')
        ORDER BY date_to
        LIMIT $1::bigint)
    ) AS due
    ORDER BY date_to
    LIMIT $1::bigint
) AS over
LEFT JOIN charge ON booking_id = over.id AND status = 'paid'
