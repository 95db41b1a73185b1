-- $1 place, $2 and $3 window in ms
SELECT cost(hourly_rate, starts, ends) AS full_cost, greatest(0, capacity - peak(id, starts, ends)) AS free
FROM place
CROSS JOIN (
    SELECT to_timestamp($2::bigint / 1000.0) AS starts, to_timestamp($3::bigint / 1000.0) AS ends
) AS wanted
WHERE id = $1 AND deleted_at IS NULL
