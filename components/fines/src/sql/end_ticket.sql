-- $1 ticket, $2 caller, $3 its end until now, $4 its new end, $5 its new price
SELECT outcome, shown.*
FROM end_ticket($1, $2, moment($3), moment($4), $5)
CROSS JOIN LATERAL show_ticket(subject) AS shown
