-- $1 ticket
SELECT shown.*
FROM ticket
CROSS JOIN LATERAL show_ticket(ticket) AS shown
WHERE ticket.id = $1
