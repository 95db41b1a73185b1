-- $1 booking
SELECT booking.id, place_id, driver, full_cost, status,
    (extract(epoch FROM date_from) * 1000)::bigint AS date_from,
    (extract(epoch FROM date_to) * 1000)::bigint AS date_to, owner
FROM booking
JOIN place ON place.id = place_id
WHERE booking.id = $1 AND booking.deleted_at IS NULL
