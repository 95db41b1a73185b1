-- $1 charge, $2 the answer of this request tells its driver
SELECT outcome, shown.*
FROM charge_void($1, $2)
CROSS JOIN LATERAL show_booking(subject) AS shown
