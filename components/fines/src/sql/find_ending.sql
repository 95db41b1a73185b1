-- $1 ticket
SELECT shown.*, millis(start_at) AS start_at, millis(end_at) AS end_at, millis(stay_from) AS stay_from,
    paid_before(ticket.id) AS before, ticket.price, plate_count
FROM ticket
JOIN zone ON zone.id = zone_id
CROSS JOIN LATERAL show_zone(zone) AS shown
WHERE ticket.id = $1 AND ticket.removed_at IS NULL
