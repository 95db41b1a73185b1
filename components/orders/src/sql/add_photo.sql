-- $1 id, $2 product, $3 caller, $4 caller is admin, $5 bytes, $6 media type
SELECT outcome, shown.*
FROM add_photo($1, $2, $3, $4, $5, $6)
CROSS JOIN LATERAL show_photo(subject) AS shown
