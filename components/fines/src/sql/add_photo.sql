-- $1 id, $2 fine, $3 caller, $4 caller is admin, $5 bytes, $6 media type, $7 when it was taken
SELECT outcome, shown.*
FROM add_photo($1, $2, $3, $4, $5, $6, moment($7))
CROSS JOIN LATERAL show_photo(subject) AS shown
