-- $1 id
SELECT shown.* FROM bill AS it CROSS JOIN LATERAL show_bill(it) AS shown WHERE it.id = $1
