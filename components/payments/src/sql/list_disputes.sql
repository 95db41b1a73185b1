-- $1 limit, $2 offset
SELECT psp_payment.id, checkout.id AS checkout, checkout.reference, checkout.status, psp_payment.state,
    psp_payment.amount, psp_payment.currency, checkout.amount AS wanted_amount, checkout.currency AS wanted_currency,
    millis(psp_payment.seen_at) AS seen_at
FROM psp_payment
JOIN checkout ON checkout.id = psp_payment.checkout
WHERE psp_payment.verdict = 'disputed'
ORDER BY psp_payment.seen_at, psp_payment.id
LIMIT $1 OFFSET $2
