-- $1 booking, or null for those of any booking that nobody saw to in the last 10 seconds, $2 limit
SELECT id, booking_id, charge_id, amount
FROM refund
WHERE status = 'owed'
    AND (booking_id = $1::bigint OR $1 IS NULL AND created_at < now() - interval '10 seconds')
ORDER BY created_at
LIMIT $2::bigint
