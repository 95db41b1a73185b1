-- $1 payment
SELECT shown.*
FROM payment
JOIN bill AS it ON it.id = payment.bill
CROSS JOIN LATERAL show_bill(it) AS shown
WHERE payment.id = $1
