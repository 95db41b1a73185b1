-- $1 ticket
-- With the zone's tariff at which it was sold.
SELECT shown.*, millis(start_at) AS start_at, millis(end_at) AS end_at, millis(stay_from) AS stay_from, ticket.price,
    plate_count
FROM ticket
JOIN zone ON zone.id = zone_id
LEFT JOIN past_tariff ON past_tariff.zone_id = zone.id AND past_tariff.revision = ticket.revision
CROSS JOIN LATERAL show_zone(jsonb_populate_record(zone, coalesce(tariff, '{}'))) AS shown
WHERE ticket.id = $1 AND ticket.removed_at IS NULL
