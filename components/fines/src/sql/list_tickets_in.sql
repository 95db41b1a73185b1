-- $1 zone, $2 caller, $3 caller is admin, $4 only valid ones, $5 limit, $6 offset
WITH asked AS (
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM zone WHERE id = $1) THEN 'unknown_zone'
        WHEN NOT ($3::boolean OR works_in_zone($1, $2)) THEN 'forbidden'
        ELSE 'listed'
    END AS outcome
)
SELECT outcome, listed.*
FROM asked
LEFT JOIN (
    SELECT shown.*
    FROM ticket
    CROSS JOIN LATERAL show_ticket(ticket) AS shown
    WHERE ticket.zone_id = $1 AND removed_at IS NULL
        AND ticket.id > ticket_before(CASE WHEN $4::boolean THEN earliest_valid() END)
        AND (NOT $4::boolean OR (paid_at IS NOT NULL AND end_at > now()))
    ORDER BY ticket.id DESC
    LIMIT $5::bigint OFFSET $6::bigint
) AS listed ON outcome = 'listed'
ORDER BY listed.id DESC
