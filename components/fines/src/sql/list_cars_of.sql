-- $1 owner, $2 with a valid ticket or without, $3 limit
SELECT shown AS plate, brand, model
FROM car
WHERE owner = $1 AND listed AND ($2::boolean IS NULL OR $2 = EXISTS (
        SELECT FROM ticket_car
        WHERE ticket_car.plate = car.plate AND end_at > now() AND removed_at IS NULL AND paid_at IS NOT NULL
            AND start_at <= now()
    ))
ORDER BY created_at, car.plate
LIMIT $3::bigint
