-- $1 charge, $2 the answer of this request tells its customer
SELECT outcome, shown.*
FROM charge_void($1, $2)
CROSS JOIN LATERAL show_order(subject) AS shown
