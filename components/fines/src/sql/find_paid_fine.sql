-- $1 fine
SELECT shown.*
FROM fine
CROSS JOIN LATERAL show_fine(fine) AS shown
WHERE fine.id = $1
