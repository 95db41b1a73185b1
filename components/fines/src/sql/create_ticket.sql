-- $1 request, $2 zone, $3 its revision, $4 plate, $5 buyer, $6 and $7 stay, $8 price, $9 the ticket that it extends,
-- $10 when the whole stay began, $11 further plates
SELECT outcome, shown.*
FROM create_ticket($1, $2, $3, $4, $5, moment($6), moment($7), $8, $9, moment($10), $11)
CROSS JOIN LATERAL show_ticket(subject) AS shown
