-- $1 id
SELECT shown.*
FROM zone
CROSS JOIN LATERAL show_zone(zone) AS shown
WHERE zone.id = $1 AND removed_at IS NULL
