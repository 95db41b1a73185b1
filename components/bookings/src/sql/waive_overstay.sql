-- $1 booking, $2 caller, $3 caller is admin
SELECT outcome, refunds, shown.*
FROM waive_overstay($1, $2, $3)
CROSS JOIN LATERAL show_booking(subject) AS shown
