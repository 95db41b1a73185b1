-- $1 id, $2 caller, $3 caller is admin, $4 its changed members, $5 shape, $6 to $9 bounds, $10 newest neighbour seen
SELECT outcome, shown.*
FROM change_zone($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
CROSS JOIN LATERAL show_zone(subject) AS shown
