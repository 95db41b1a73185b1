-- $1 booking, $2 caller, $3 caller is admin, $4 hide
SELECT outcome, refunds, shown.*
FROM cancel_in_turn($1, $2, $3, $4)
CROSS JOIN LATERAL show_booking(subject) AS shown
