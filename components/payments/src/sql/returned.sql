-- $1 checkout, $2 the payment's id at the PSP
SELECT concluded.outcome, (concluded.card).*
FROM checkout_card
JOIN psp_payment ON psp_payment.checkout = checkout_card.id
CROSS JOIN LATERAL conclude(
    checkout_card.id, checkout_card.status, 'returning', checkout_card.status, 'returned',
    psp_payment.id, 'refunded', psp_payment.amount, psp_payment.currency
) AS concluded
WHERE checkout_card.id = $1 AND psp_payment.id = $2
