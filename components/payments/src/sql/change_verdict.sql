-- $1 checkout, $2 the payment's id at the PSP, $3 its verdict until now, $4 its new one
-- For changes that move no money here: to 'returning', and to 'returned' when the PSP has sent it back.
SELECT concluded.outcome, concluded.outcome = 'changed' AS is_stale, (concluded.card).*
FROM checkout_card
JOIN psp_payment ON psp_payment.checkout = checkout_card.id
CROSS JOIN LATERAL conclude(
    checkout_card.id, checkout_card.status, $3, checkout_card.status, $4,
    psp_payment.id, CASE $4::text WHEN 'returned' THEN 'refunded' ELSE psp_payment.state END,
    psp_payment.amount, psp_payment.currency, psp_payment.refunded
) AS concluded
WHERE checkout_card.id = $1 AND psp_payment.id = $2
