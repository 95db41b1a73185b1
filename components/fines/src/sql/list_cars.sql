-- $1 with a valid ticket or without, $2 limit, $3 offset
-- Few cars are parked, so these are found first; the others are found in the order of their plates.
WITH parked AS MATERIALIZED (
    SELECT DISTINCT plate
    FROM ticket_car
    WHERE $1::boolean IS NOT NULL AND end_at > now() AND removed_at IS NULL AND paid_at IS NOT NULL AND start_at <= now()
)
SELECT shown AS plate, brand, model
FROM (
    SELECT car.* FROM parked JOIN car USING (plate) WHERE $1 AND listed
    UNION ALL
    (
        SELECT * FROM car
        WHERE $1 IS NOT TRUE AND listed AND ($1 IS NULL OR plate NOT IN (SELECT plate FROM parked))
        ORDER BY plate
        LIMIT $2::bigint + $3::bigint
    )
) AS car
ORDER BY car.plate
LIMIT $2 OFFSET $3
