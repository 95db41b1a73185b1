-- $1 payment, $2 until (ms)
SELECT
    id, payer, payee, amount, currency, reference, refunded, held,
    (extract(epoch FROM created_at) * 1000)::bigint AS created_at
FROM hold_until($1, to_timestamp($2::bigint / 1000.0))
