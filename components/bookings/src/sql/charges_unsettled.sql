-- $1 limit
-- Charges whose request died between asking the ledger and noting its answer.
SELECT charge.id, booking_id, (extract(epoch FROM charge.date_to) * 1000)::bigint AS date_to
FROM charge
WHERE status = 'opening' AND created_at < now() - interval '10 seconds'
ORDER BY created_at
LIMIT $1::bigint
