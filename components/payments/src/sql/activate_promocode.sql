-- $1 id, $2 user, $3 code, $4 network or null
SELECT shown.* FROM claim_promocode($1, $2, $3, $4) AS it CROSS JOIN LATERAL show_movement(it) AS shown
