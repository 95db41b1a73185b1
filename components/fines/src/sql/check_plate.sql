-- $1 zone, $2 caller, $3 caller is admin, $4 plate, $5 its booking; null when bookings was not asked
SELECT outcome, shown.*
FROM check_plate($1, $2, $3, $4, $5)
CROSS JOIN LATERAL show_check(subject) AS shown
