-- $1 request, $2 place, $3 driver, $4 and $5 window, $6 expected cost
SELECT outcome, payment, due, payee, '[]'::jsonb AS earlier, '[]'::jsonb AS refunds,
    millis((subject).kept_to) AS until, shown.*
FROM book($1, $2, $3, moment($4), moment($5), $6)
CROSS JOIN LATERAL show_booking(subject) AS shown
