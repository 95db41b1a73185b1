-- $1 checkout
SELECT id, verdict, state, amount, currency, (extract(epoch FROM seen_at) * 1000)::bigint AS seen_at
FROM psp_payment
WHERE checkout = $1
ORDER BY psp_payment.seen_at, id
