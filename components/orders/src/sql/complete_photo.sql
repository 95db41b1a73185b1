-- $1 photo, $2 digest
SELECT outcome, shown.*
FROM complete_photo($1, $2)
CROSS JOIN LATERAL show_product(subject) AS shown
