-- $1 zone
SELECT zone.id, occupied, capacity,
    -- greatest() would make 0 of an unknown capacity.
    CASE WHEN capacity IS NOT NULL THEN greatest(0, capacity - occupied) END AS free
FROM zone
CROSS JOIN LATERAL (
    SELECT count(DISTINCT plate) AS occupied
    FROM ticket_car
    WHERE zone_id = zone.id AND paid_at IS NOT NULL AND ticket_car.removed_at IS NULL AND end_at > now() AND start_at <= now()
) AS counted
CROSS JOIN LATERAL (SELECT (rules #>> '{control,capacity}')::bigint AS capacity) AS stated
WHERE zone.id = $1 AND zone.removed_at IS NULL
