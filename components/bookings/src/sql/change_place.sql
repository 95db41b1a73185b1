-- $1 id, $2 caller, $3 caller is admin, $4 name, $5 city, $6 address, $7 type, $8 rate, $9 capacity, $10 latitude,
-- $11 longitude
SELECT outcome, shown.*
FROM place_change($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
CROSS JOIN LATERAL show_place(subject) AS shown
