-- $1 checkout
-- A checkout without any has one row of nothing.
SELECT psp_payment.id, verdict, state, psp_payment.amount, psp_payment.currency, refunded,
    (extract(epoch FROM seen_at) * 1000)::bigint AS seen_at
FROM checkout
LEFT JOIN psp_payment ON psp_payment.checkout = checkout.id
WHERE checkout.id = $1
ORDER BY psp_payment.seen_at, psp_payment.id
