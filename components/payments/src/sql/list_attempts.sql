-- $1 checkout
-- A checkout without an attempt has one row, in which everything is null.
SELECT psp_payment.id, verdict, state, detail, psp_payment.amount, psp_payment.currency, refunded,
    millis(seen_at) AS seen_at
FROM checkout
LEFT JOIN psp_payment ON psp_payment.checkout = checkout.id
WHERE checkout.id = $1
ORDER BY psp_payment.seen_at, psp_payment.id
