-- $1 pack, $2 version, $3 viewer, $4 roles
SELECT outcome, shown.*
FROM yank_version($1, $2, $3, $4)
CROSS JOIN LATERAL show_version(subject, $3, $4, NULL) AS shown
