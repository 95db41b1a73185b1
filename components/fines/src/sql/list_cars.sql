-- $1 with a valid ticket or without, $2 limit, $3 offset
SELECT shown AS plate, brand, model
FROM car
WHERE listed AND ($1::boolean IS NULL OR $1 = EXISTS (
        SELECT FROM ticket_car
        WHERE ticket_car.plate = car.plate AND end_at > now() AND removed_at IS NULL AND paid_at IS NOT NULL
            AND start_at <= now()
    ))
ORDER BY car.plate
LIMIT $2::bigint OFFSET $3::bigint
