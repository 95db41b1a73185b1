-- $1 limit
-- Charges whose request died between asking the ledger and noting its answer.
SELECT booking.id, place_id, driver, full_cost, booking.status,
    (extract(epoch FROM date_from) * 1000)::bigint AS date_from,
    (extract(epoch FROM booking.date_to) * 1000)::bigint AS date_to,
    charge.id AS payment, charge.amount AS due, owner AS payee,
    (extract(epoch FROM charge.date_to) * 1000)::bigint AS until
FROM charge
JOIN booking ON booking.id = booking_id
JOIN place ON place.id = place_id
WHERE charge.status = 'opening' AND charge.created_at < now() - interval '10 seconds'
ORDER BY charge.created_at
LIMIT $1::bigint
