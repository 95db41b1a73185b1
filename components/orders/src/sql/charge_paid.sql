-- $1 charge
SELECT outcome, shown.*
FROM charge_paid($1, NULL)
CROSS JOIN LATERAL show_order(subject) AS shown
