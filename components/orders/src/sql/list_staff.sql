-- $1 shop, $2 caller, $3 caller is admin
-- One row without a member says that there is none, or why none is shown.
WITH asked AS MATERIALIZED (
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM shop WHERE id = $1) THEN 'unknown_shop'
        WHEN NOT may($1, $2, $3, 'assign_staff') THEN 'forbidden'
        ELSE 'listed'
    END AS outcome
)
SELECT outcome, user_id AS id, user_id, role, assigned_by, millis(assigned_at) AS assigned_at
FROM asked
LEFT JOIN staff ON outcome = 'listed' AND shop_id = $1
ORDER BY role, user_id
LIMIT 1000
