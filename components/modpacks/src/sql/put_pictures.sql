-- $1 pack, $2 viewer, $3 roles, $4 icon or gallery, $5 files, $6 their titles, $7 what their bytes are
SELECT outcome, shown.*
FROM put_pictures($1, $2, $3, $4, $5, $6, $7)
CROSS JOIN LATERAL show_pack(subject) AS shown
