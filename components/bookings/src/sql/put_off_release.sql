-- $1 charge
-- The pause before the next try is the time since the booking's end, a minute at least and an hour at most.
UPDATE charge SET due_at = now() + least(greatest(now() - booking.date_to, interval '1 minute'), interval '1 hour')
FROM booking
WHERE charge.id = $1 AND booking.id = booking_id AND charge.status = 'paid'
