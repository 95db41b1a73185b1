-- $1 reference
SELECT shown.*
FROM fine
CROSS JOIN LATERAL show_fine(fine) AS shown
WHERE fine.reference = $1 AND hidden_at IS NULL
