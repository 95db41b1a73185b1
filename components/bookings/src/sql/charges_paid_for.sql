-- $1 booking
SELECT id FROM charge WHERE booking_id = $1 AND status = 'paid'
