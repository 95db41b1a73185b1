-- $1 user
SELECT shown.*
FROM zone_role
JOIN zone ON zone.id = zone_id
CROSS JOIN LATERAL show_zone(zone) AS shown
WHERE user_id = $1 AND removed_at IS NULL
ORDER BY zone.id
