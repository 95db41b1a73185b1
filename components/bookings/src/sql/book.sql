-- $1 request, $2 place, $3 driver, $4 and $5 window, $6 expected cost, $7 and $8 plate, as it is compared and as it was
-- written, $9 what the driver can spend, null when that was not looked at
SELECT outcome, payment, due, payee, '[]'::jsonb AS earlier, '[]'::jsonb AS refunds,
    millis((subject).kept_to) AS until, shown.*
FROM book($1, $2, $3, moment($4), moment($5), $6, $7, $8, $9)
CROSS JOIN LATERAL show_booking(subject) AS shown
