-- $1 pack, $2 viewer, $3 roles, $4 file, $5 name of the version, $6 channel
SELECT outcome, shown.*
FROM create_import($1, $2, $3, $4, $5, $6)
CROSS JOIN LATERAL show_import(subject) AS shown
