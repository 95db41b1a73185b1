-- $1 limit
-- Tells both people of a booking that ends within ten minutes, once. Another sweep skips
-- rows that this one has locked.
WITH due AS (
    SELECT id
    FROM booking
    WHERE status = 'Confirmed' AND reminded_at IS NULL AND deleted_at IS NULL
        AND date_to BETWEEN now() AND now() + interval '10 minutes'
    ORDER BY date_to
    LIMIT $1::bigint
    FOR UPDATE SKIP LOCKED
), reminded AS (
    UPDATE booking SET reminded_at = now()
    FROM due
    WHERE booking.id = due.id
    RETURNING booking.id, place_id, driver, date_to
)
INSERT INTO events.outbox (kind, aggregate, payload)
SELECT 'notify', 'booking:' || reminded.id, jsonb_build_object(
    'user_id', reader,
    'template', 'booking_ending',
    'params', jsonb_build_object(
        'booking_id', reminded.id,
        'place', name,
        'date_to', to_char(date_to AT TIME ZONE time_zone, 'YYYY-MM-DD HH24:MI'),
        'time_zone', time_zone
    )
)
FROM reminded
JOIN place ON place.id = place_id
CROSS JOIN LATERAL (VALUES (driver), (owner)) AS told (reader)
