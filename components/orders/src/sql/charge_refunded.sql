-- $1 charge
SELECT outcome, shown.*
FROM charge_refunded($1)
CROSS JOIN LATERAL show_order(subject) AS shown
