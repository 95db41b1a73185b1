-- $1 bookings
UPDATE booking SET kept_to = date_to WHERE id = ANY ($1)
