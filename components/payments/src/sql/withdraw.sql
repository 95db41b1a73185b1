-- $1 id, $2 owner, $3 name, $4 amount, $5 house account that it goes to
SELECT shown.* FROM withdraw($1, $2, $3, $4, $5) AS it CROSS JOIN LATERAL show_movement(it) AS shown
