-- $1 pack, $2 viewer, $3 roles, $4 name, $5 description, $6 authors, $7 visibility
SELECT outcome, shown.*
FROM change_pack($1, $2, $3, $4, $5, $6, $7)
CROSS JOIN LATERAL show_pack(subject) AS shown
