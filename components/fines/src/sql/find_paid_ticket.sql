-- $1 ticket
-- The ticket after a payment. The payment goes back when the ticket was deleted or cannot be an extension any more.
SELECT CASE
    WHEN ticket.removed_at IS NOT NULL THEN 'unknown_ticket'
    WHEN ticket.paid_at IS NOT NULL THEN 'paid'
    WHEN is_extended(ticket.extends) THEN 'already_extended'
    ELSE 'ticket_changed'
END AS outcome, shown.*
FROM ticket
CROSS JOIN LATERAL show_ticket(ticket) AS shown
WHERE ticket.id = $1
