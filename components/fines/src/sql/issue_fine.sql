-- $1 request, $2 reference, $3 zone, $4 caller, $5 caller is admin, $6 plate, $7 as written, $8 amount, $9 code,
-- $10 place, $11 latitude, $12 longitude, $13 note, $14 reason to override the cover,
-- $15 its booking
SELECT outcome, shown.*
FROM issue_fine($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
CROSS JOIN LATERAL show_fine(subject) AS shown
