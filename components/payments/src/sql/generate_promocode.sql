-- $1 id, $2 user, $3 code, $4 amount, $5 currency
SELECT shown.* FROM generate_promocode($1, $2, $3, $4, $5) AS it CROSS JOIN LATERAL show_coined(it) AS shown
