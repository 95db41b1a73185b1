-- $1 product, $2 photo, $3 caller, $4 caller is admin
SELECT outcome, shown.*
FROM drop_photo($1, $2, $3, $4)
CROSS JOIN LATERAL show_product(subject) AS shown
