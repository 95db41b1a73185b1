-- $1 limit
-- Tells the buyer of a ticket that ends within ten minutes and the owners of its cars, once; not when it was extended.
-- Another sweep skips rows that this one has locked.
WITH due AS (
    SELECT id
    FROM ticket
    WHERE paid_at IS NOT NULL AND removed_at IS NULL AND warned_at IS NULL
        AND end_at BETWEEN now() AND now() + interval '10 minutes'
    ORDER BY end_at
    LIMIT $1::bigint
    FOR UPDATE SKIP LOCKED
), warned AS (
    UPDATE ticket SET warned_at = now()
    FROM due
    WHERE ticket.id = due.id
    RETURNING ticket.id, zone_id, buyer, end_at
)
INSERT INTO events.outbox (kind, aggregate, payload)
SELECT 'notify', 'ticket:' || warned.id, jsonb_build_object(
    'user_id', reader,
    'template', 'parking_ending',
    'params', jsonb_build_object(
        'plate', plates,
        'zone', name,
        'date_to', to_char(end_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
    )
)
FROM warned
JOIN zone ON zone.id = zone_id
CROSS JOIN LATERAL (
    SELECT reader, string_agg(shown, ', ' ORDER BY nth) AS plates
    FROM ticket_car
    JOIN car USING (plate)
    CROSS JOIN LATERAL (SELECT warned.buyer UNION SELECT owner) AS readers (reader)
    WHERE ticket_id = warned.id AND reader IS NOT NULL AND NOT is_guest
    GROUP BY reader
) AS told
WHERE NOT is_extended(warned.id)
