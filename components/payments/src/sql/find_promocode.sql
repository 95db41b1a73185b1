-- $1 code
SELECT shown.* FROM promocode AS it CROSS JOIN LATERAL show_promocode(it) AS shown WHERE it.code = $1
