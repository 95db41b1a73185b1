-- $1 bill
SELECT shown.*
FROM payment AS it
CROSS JOIN LATERAL show_payment(it) AS shown
WHERE it.bill = $1
ORDER BY it.id
