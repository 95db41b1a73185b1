-- $1 zone, $2 caller, $3 caller is admin, $4 plate, $5 limit, $6 offset
WITH asked AS (
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM zone WHERE id = $1) THEN 'unknown_zone'
        WHEN NOT ($3::boolean OR works_in_zone($1, $2)) THEN 'forbidden'
        ELSE 'listed'
    END AS outcome
)
SELECT outcome, listed.*
FROM asked
LEFT JOIN (
    SELECT shown.*
    FROM plate_check
    CROSS JOIN LATERAL show_check(plate_check) AS shown
    WHERE plate_check.zone_id = $1 AND ($4::text IS NULL OR plate_check.plate = $4)
    ORDER BY plate_check.id DESC
    LIMIT $5::bigint OFFSET $6::bigint
) AS listed ON outcome = 'listed'
ORDER BY listed.id DESC
