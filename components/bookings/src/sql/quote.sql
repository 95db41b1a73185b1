-- $1 place, $2 and $3 window
SELECT full_cost, free, 'USD' AS currency,
    full_cost > 0 AND free > 0 AND is_open(time_zone, opening, blackouts, moment($2), moment($3)) AS available,
    show_refund_policy(refund_free_hours, refund_percent) AS refund_policy,
    coalesce(overstay, 'null') AS overstay_rule
FROM place
CROSS JOIN LATERAL (
    SELECT cost(hourly_rate, moment($2), moment($3)) AS full_cost,
        greatest(0, capacity - peak(id, moment($2), moment($3))) AS free
) AS quoted
WHERE id = $1 AND deleted_at IS NULL
