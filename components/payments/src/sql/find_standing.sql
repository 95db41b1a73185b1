-- $1 checkout, $2 id of a payment at the PSP
-- Both come from one snapshot, so a verdict is never newer than the status that it led to. A payment stays with
-- the checkout for which it was seen first, even when the PSP later names another one.
SELECT card.*, psp_payment.verdict, psp_payment.state, psp_payment.refunded, psp_payment.is_taken_back
FROM checkout_card AS card
LEFT JOIN psp_payment ON psp_payment.checkout = card.id AND psp_payment.id = $2
WHERE card.id = coalesce((SELECT checkout FROM psp_payment WHERE id = $2), $1)
