-- $1 charge
SELECT outcome, shown.*
FROM charge_paid($1)
CROSS JOIN LATERAL show_booking(subject) AS shown
