-- $1 id, $2 payer, $3 payee, $4 amount, $5 currency, $6 reference, $7 description, $8 hold until (ms) or null
SELECT shown.*
FROM pay_in_turn($1, $2, $3, $4, $5, $6, $7, moment($8)) AS it
CROSS JOIN LATERAL show_movement(it) AS shown
