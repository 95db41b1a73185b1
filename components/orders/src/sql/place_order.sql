-- $1 request, $2 shop, $3 caller, $4 caller is admin, $5 customer, $6 the client's name for the customer, $7 e-mail,
-- $8 payment method, $9 items, $10 tip, $11 coupon, $12 seconds to pay, $13 expected amount
SELECT outcome, named, charge_id, payee, shown.*
FROM place_order($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
CROSS JOIN LATERAL show_order(subject) AS shown
