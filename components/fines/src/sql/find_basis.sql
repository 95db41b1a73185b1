-- $1 zone, $2 plate, $3 beginning of the stay
-- The paid ticket that ends at that moment is extended.
SELECT shown.*, earlier.id AS follows, millis(earlier.stay_from) AS stay_from
FROM zone
CROSS JOIN LATERAL show_zone(zone) AS shown
LEFT JOIN LATERAL (
    SELECT ticket.id, ticket.stay_from
    FROM ticket
    WHERE plate = $2 AND end_at = moment($3) AND zone_id = zone.id AND paid_at IS NOT NULL AND ticket.removed_at IS NULL
    ORDER BY ticket.id DESC
    LIMIT 1
) AS earlier ON true
WHERE zone.id = $1 AND zone.removed_at IS NULL
