-- $1 place, $2 and $3 window
SELECT full_cost, free, free > 0 AS available, 'USD' AS currency
FROM place
CROSS JOIN LATERAL (
    SELECT cost(hourly_rate, moment($2), moment($3)) AS full_cost,
        greatest(0, capacity - peak(id, moment($2), moment($3))) AS free
) AS quoted
WHERE id = $1 AND deleted_at IS NULL
