-- $1 ticket, $2 caller, $3 caller is admin
-- The ticket, for the staff of its zone, the owners of its cars, its buyer and its payer.
SELECT CASE
    WHEN ticket.id IS NULL THEN 'unknown_ticket'
    WHEN $3::boolean OR works_in_zone(ticket.zone_id, $2) OR buyer = $2
        OR owns_car_of(ticket.id, $2)
        OR EXISTS (
            SELECT FROM charge
            WHERE subject = 'ticket' AND subject_id = ticket.id AND payer = $2 AND status = 'paid'
        ) THEN 'shown'
    ELSE 'forbidden'
END AS outcome, shown.*
FROM (VALUES (1)) AS once
LEFT JOIN ticket ON ticket.id = $1 AND removed_at IS NULL
CROSS JOIN LATERAL show_ticket(ticket) AS shown
