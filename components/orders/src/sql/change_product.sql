-- $1 product, $2 caller, $3 caller is admin, $4 category, $5 name, $6 price, $7 enabled, $8 description, $9 allergens,
-- $10 station, $11 hours, $12 options, $13 deleted
SELECT outcome, shown.*
FROM change_product($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
CROSS JOIN LATERAL show_product(subject) AS shown
