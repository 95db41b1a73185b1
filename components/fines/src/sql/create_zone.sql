-- $1 request, $2 caller, $3 their login, $4 its members, $5 shape, $6 to $9 bounds, $10 newest neighbour seen,
-- $11 payee
SELECT outcome, shown.*
FROM create_zone($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
CROSS JOIN LATERAL show_zone(subject) AS shown
