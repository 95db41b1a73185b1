-- $1 place
SELECT time_zone, coalesce(opening, 'null') AS opening_hours, blackouts,
    show_refund_policy(refund_free_hours, refund_percent) AS refund_policy,
    coalesce(overstay, 'null') AS overstay
FROM place
WHERE id = $1 AND deleted_at IS NULL
