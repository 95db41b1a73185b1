-- $1 id, $2 owner, $3 destination, $4 amount
SELECT shown.* FROM start_cash_out($1, $2, $3, $4) AS it CROSS JOIN LATERAL show_movement(it) AS shown
