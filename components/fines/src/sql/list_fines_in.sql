-- $1 zone, $2 caller, $3 caller is admin, $4 plate, $5 status, $6 only those with an open appeal, $7 limit, $8 offset
WITH asked AS (
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM zone WHERE id = $1) THEN 'unknown_zone'
        WHEN NOT ($3::boolean OR works_in_zone($1, $2)) THEN 'forbidden'
        ELSE 'listed'
    END AS outcome
)
SELECT outcome, listed.*
FROM asked
LEFT JOIN LATERAL (
    SELECT shown.*
    FROM find_fines($1, $4, $5, $6, $7::bigint, $8::bigint) AS found (id)
    JOIN fine ON fine.id = found.id
    CROSS JOIN LATERAL show_fine(fine) AS shown
    WHERE outcome = 'listed'
) AS listed ON true
ORDER BY listed.id DESC
