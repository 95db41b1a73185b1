-- $1 limit
-- Overstays that are still owed, claimed as charges are. The pause before the next try is the time since the car left,
-- a day at most: a driver without money is asked for it ever less often, and pays within a day of having it.
WITH due AS (
    SELECT id
    FROM booking
    WHERE overstay_paid < overstay_cost AND overstay_due_at <= now()
    ORDER BY overstay_due_at
    LIMIT $1::bigint
    FOR UPDATE SKIP LOCKED
)
UPDATE booking SET overstay_due_at = now() + least(now() - checked_out_at, interval '1 day')
FROM due
WHERE booking.id = due.id
RETURNING booking.id, driver
