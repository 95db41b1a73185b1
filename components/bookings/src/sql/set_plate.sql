-- $1 booking, $2 caller, $3 caller is admin, $4 and $5 plate, as it is compared and as it was written
SELECT outcome, shown.*
FROM set_plate($1, $2, $3, $4, $5)
CROSS JOIN LATERAL show_booking(subject) AS shown
