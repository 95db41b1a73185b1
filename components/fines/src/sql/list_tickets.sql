-- $1 only valid ones, $2 starting after, $3 ending before, $4 limit, $5 offset
-- The ids bound what is read: in the order of ids, a page that is not full would read all older tickets.
SELECT shown.*
FROM ticket
CROSS JOIN LATERAL show_ticket(ticket) AS shown
WHERE removed_at IS NULL
    AND ticket.id > ticket_before(greatest(moment($2::bigint), CASE WHEN $1::boolean THEN earliest_valid() END))
    AND ticket.id < ticket_after(moment($3::bigint))
    AND (NOT $1::boolean OR (paid_at IS NOT NULL AND end_at > now()))
    AND ($2::bigint IS NULL OR start_at > moment($2))
    AND ($3::bigint IS NULL OR end_at < moment($3))
ORDER BY ticket.id DESC
LIMIT $4::bigint OFFSET $5::bigint
