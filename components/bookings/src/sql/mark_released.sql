-- $1 bookings
-- One that is being changed is left to a later sweep.
WITH free AS (
    SELECT id FROM booking WHERE id = ANY ($1) FOR UPDATE SKIP LOCKED
)
UPDATE booking SET kept_to = date_to FROM free WHERE booking.id = free.id
