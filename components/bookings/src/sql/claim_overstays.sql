-- $1 limit
-- What drivers still owe for leaving late, claimed as charges are.
WITH due AS (
    SELECT id
    FROM booking
    WHERE overstay_paid < overstay_cost AND overstay_due_at <= now()
    ORDER BY overstay_due_at
    LIMIT $1::bigint
    FOR UPDATE SKIP LOCKED
)
UPDATE booking SET overstay_due_at = now() + least(now() - checked_out_at, interval '1 hour')
FROM due
WHERE booking.id = due.id
RETURNING booking.id, driver
