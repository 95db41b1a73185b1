-- $1 id, $2 payment, $3 amount or null for all that is left, $4 description
-- When more is asked for than is left, nothing moves and `amount` is the rest.
SELECT shown.* FROM refund_in_turn($1, $2, $3, $4) AS it CROSS JOIN LATERAL show_movement(it) AS shown
