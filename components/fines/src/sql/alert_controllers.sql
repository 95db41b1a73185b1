-- $1 limit
-- Tells the controllers of a zone, once, that a ticket and its grace have ended; not when the ticket was extended, or ended
-- by its driver.
WITH due AS (
    SELECT ticket.id
    FROM ticket
    JOIN zone ON zone.id = zone_id
    WHERE paid_at IS NOT NULL AND ticket.removed_at IS NULL AND alerted_at IS NULL
        AND end_at < now() - make_interval(mins => (rules #>> '{control,grace_minutes}')::int)
    ORDER BY end_at
    LIMIT $1::bigint
    FOR UPDATE OF ticket SKIP LOCKED
), alerted AS (
    UPDATE ticket SET alerted_at = now()
    FROM due
    WHERE ticket.id = due.id
    RETURNING ticket.id, zone_id, end_at
)
INSERT INTO events.outbox (kind, aggregate, payload)
SELECT 'notify', 'ticket:' || alerted.id, jsonb_build_object(
    'user_id', zone_role.user_id,
    'template', 'parking_over',
    'params', jsonb_build_object(
        'plate', plates,
        'zone', name,
        'date_to', to_char(end_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
    )
)
FROM alerted
JOIN zone ON zone.id = zone_id
CROSS JOIN LATERAL (
    SELECT string_agg(shown, ', ' ORDER BY nth) AS plates FROM ticket_car JOIN car USING (plate) WHERE ticket_id = alerted.id
) AS cars
JOIN zone_role ON zone_role.zone_id = zone.id AND role = 'controller'
WHERE NOT is_extended(alerted.id) AND end_at > now() - interval '1 hour'
