-- $1 id, $2 payment, $3 amount or null for all that is left, $4 description
-- When more is wanted than is left, nothing moves and `amount` is what is left.
SELECT shown.* FROM refund_in_turn($1, $2, $3, $4) AS it CROSS JOIN LATERAL show_movement(it) AS shown
