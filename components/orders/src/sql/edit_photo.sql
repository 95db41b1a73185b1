-- $1 product, $2 photo, $3 caller, $4 caller is admin
SELECT outcome, shown.*
FROM edit_photo($1, $2, $3, $4)
CROSS JOIN LATERAL show_photo(subject) AS shown
