-- $1 id, $2 user, $3 code
SELECT shown.* FROM activate_promocode($1, $2, $3) AS it CROSS JOIN LATERAL show_movement(it) AS shown
