-- $1 payment, $2 until (ms)
SELECT shown.* FROM hold_until($1, moment($2)) AS it CROSS JOIN LATERAL show_payment(it) AS shown
