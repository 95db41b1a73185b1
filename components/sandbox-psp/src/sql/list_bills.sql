-- $1 reference
SELECT shown.*
FROM bill AS it
CROSS JOIN LATERAL show_bill(it) AS shown
WHERE it.reference = $1
ORDER BY it.created_at
