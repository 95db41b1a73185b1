-- $1 fine, $2 caller, $3 caller is admin
WITH asked AS (
    SELECT CASE
        WHEN fine.id IS NULL THEN 'unknown_fine'
        WHEN $3::boolean OR sees_fine(fine, $2) THEN 'listed'
        ELSE 'forbidden'
    END AS outcome
    FROM (VALUES (1)) AS once
    LEFT JOIN fine ON fine.id = $1 AND ($3 OR hidden_at IS NULL)
)
SELECT outcome, id, millis(happened_at) AS at, kind, actor, data
FROM asked
LEFT JOIN fine_event ON fine_id = $1 AND outcome = 'listed'
ORDER BY id
LIMIT 1000
