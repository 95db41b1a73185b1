-- $1 payment
SELECT
    id, payer, payee, amount, currency, reference, refunded, held,
    (extract(epoch FROM created_at) * 1000)::bigint AS created_at
FROM payment
WHERE id = $1
