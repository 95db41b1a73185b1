-- $1 booking, $2 caller, $3 caller is admin, $4 new end
SELECT outcome, payment, due, payee, earlier, refunds, millis((subject).kept_to) AS until, shown.*
FROM move_end($1, $2, $3, moment($4))
CROSS JOIN LATERAL show_booking(subject) AS shown
