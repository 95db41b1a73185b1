-- $1 payment
SELECT shown.* FROM payment AS it CROSS JOIN LATERAL show_payment(it) AS shown WHERE it.id = $1
