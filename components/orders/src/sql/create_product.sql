-- $1 caller, $2 caller is admin, $3 category, $4 name, $5 price, $6 enabled, $7 description, $8 allergens, $9 station,
-- $10 hours, $11 stock, $12 options
SELECT outcome, shown.*
FROM create_product($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
CROSS JOIN LATERAL show_product(subject) AS shown
