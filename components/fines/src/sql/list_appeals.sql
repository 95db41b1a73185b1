-- $1 zone, $2 caller, $3 caller is admin, $4 limit, $5 offset
-- Open appeals, the oldest first.
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
    FROM appeal
    JOIN fine ON fine.id = fine_id
    CROSS JOIN LATERAL show_appeal(appeal) AS shown
    WHERE appeal.status = 'open' AND fine.zone_id = $1 AND hidden_at IS NULL
    ORDER BY appeal.opened_at, fine.id
    LIMIT $4::bigint OFFSET $5::bigint
) AS listed ON outcome = 'listed'
ORDER BY listed.opened_at, listed.id
