-- $1 driver, $2 place, $3 limit, $4 offset
SELECT booking.id, place_id, driver, full_cost, status,
    (extract(epoch FROM date_from) * 1000)::bigint AS date_from,
    (extract(epoch FROM date_to) * 1000)::bigint AS date_to
FROM booking
WHERE deleted_at IS NULL
    AND ($1::uuid IS NULL OR driver = $1)
    AND ($2::bigint IS NULL OR place_id = $2)
ORDER BY id DESC
LIMIT $3::bigint OFFSET $4::bigint
