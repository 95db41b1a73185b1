-- $1 zone, $2 plates, $3 beginning of the stay
-- A paid ticket of exactly these plates that ends at that moment is extended.
SELECT shown.*, earlier.id AS follows, millis(earlier.stay_from) AS stay_from
FROM zone
CROSS JOIN LATERAL show_zone(zone) AS shown
LEFT JOIN LATERAL (
    SELECT ticket.id, ticket.stay_from
    FROM ticket
    WHERE plate = ANY ($2::text[]) AND end_at = moment($3) AND zone_id = zone.id AND paid_at IS NOT NULL
        AND ticket.removed_at IS NULL AND plate_count = cardinality($2)
        AND NOT EXISTS (SELECT FROM ticket_plate WHERE ticket_id = ticket.id AND ticket_plate.plate <> ALL ($2))
    ORDER BY ticket.id DESC
    LIMIT 1
) AS earlier ON true
WHERE zone.id = $1 AND zone.removed_at IS NULL
