-- $1 driver, $2 only valid ones, $3 limit, $4 offset
-- Tickets of the driver's cars, except those that were over before the car was theirs, and tickets that the driver bought for
-- others. Plates of the shared guest belong to no driver. The driver's tickets are found first and sorted then: in the order of their numbers all tickets would be read.
WITH own AS MATERIALIZED (
    SELECT id FROM ticket WHERE buyer = $1 AND removed_at IS NULL
    UNION
    SELECT ticket_id FROM car JOIN ticket_car USING (plate) WHERE owner = $1 AND removed_at IS NULL AND end_at > owned_since
)
SELECT shown.*
FROM own
JOIN ticket ON ticket.id = own.id
CROSS JOIN LATERAL show_ticket(ticket) AS shown
WHERE NOT $2::boolean OR (paid_at IS NOT NULL AND end_at > now())
ORDER BY ticket.id DESC
LIMIT $3::bigint OFFSET $4::bigint
