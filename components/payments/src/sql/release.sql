-- $1 payment
SELECT shown.* FROM release($1) AS it CROSS JOIN LATERAL show_payment(it) AS shown
