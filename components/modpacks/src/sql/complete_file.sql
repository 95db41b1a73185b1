-- $1 file, $2 viewer, $3 roles, $4 sha1, $5 sha256, $6 sha512
SELECT outcome, shown.*
FROM complete_file($1, $2, $3, $4, $5, $6)
CROSS JOIN LATERAL show_file(subject) AS shown
