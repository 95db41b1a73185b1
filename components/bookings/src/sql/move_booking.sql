-- $1 booking, $2 caller, $3 caller is admin, $4 new start, $5 new end; what is null stays; $6 what the
-- driver can spend, null when that was not looked at
SELECT outcome, payment, due, payee, earlier, refunds, millis((subject).kept_to) AS until, shown.*
FROM move_booking($1, $2, $3, moment($4), moment($5), $6)
CROSS JOIN LATERAL show_booking(subject) AS shown
