-- $1 product, $2 caller, $3 caller is admin, $4 ids of photos
SELECT outcome, shown.*
FROM order_photos($1, $2, $3, $4)
CROSS JOIN LATERAL show_product(subject) AS shown
