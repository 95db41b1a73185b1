-- $1 payment
SELECT shown.* FROM void_payment($1) AS it CROSS JOIN LATERAL show_payment(it) AS shown
