-- $1 ticket, $2 payer, $3 method
SELECT outcome, asked.*
FROM open_ticket_charge($1, $2, $3) AS opened
CROSS JOIN LATERAL show_charge(opened.due) AS asked
