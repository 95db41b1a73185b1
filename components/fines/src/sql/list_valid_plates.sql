-- $1 zone, $2 caller, $3 caller is admin
SELECT CASE
    WHEN zone.id IS NULL THEN 'unknown_zone'
    WHEN $3::boolean OR works_in_zone($1, $2) THEN 'shown'
    ELSE 'forbidden'
END AS outcome, coalesce((
    SELECT jsonb_agg(jsonb_build_object('plate', plate, 'until', iso(until)) ORDER BY plate)
    FROM (
        SELECT plate, max(end_at) AS until
        FROM ticket_car
        WHERE zone_id = zone.id AND paid_at IS NOT NULL AND removed_at IS NULL
            AND end_at > now() - make_interval(mins => (zone.rules #>> '{control,grace_minutes}')::int)
            AND start_at <= now() + interval '15 minutes'
        GROUP BY plate
    ) AS valid
), '[]') AS document
FROM (VALUES (1)) AS once
LEFT JOIN zone ON zone.id = $1 AND zone.removed_at IS NULL
