-- $1 zone, $2 caller, $3 caller is admin
WITH asked AS (
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM zone WHERE id = $1 AND removed_at IS NULL) THEN 'unknown_zone'
        WHEN NOT ($3::boolean OR runs_zone($1, $2)) THEN 'forbidden'
        WHEN NOT EXISTS (SELECT FROM zone_role WHERE zone_id = $1) THEN 'no_users'
        ELSE 'listed'
    END AS outcome
)
SELECT outcome, listed.*
FROM asked
LEFT JOIN (
    SELECT shown.*
    FROM zone_role
    CROSS JOIN LATERAL show_role(zone_role) AS shown
    WHERE zone_role.zone_id = $1
) AS listed ON outcome = 'listed'
ORDER BY listed.id
