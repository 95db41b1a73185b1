-- $1 transfer, $2 user
-- For a movement between two house accounts, the user is the one who opened the payment.
SELECT
    transfer.seq AS number,
    transfer.id,
    transfer.kind,
    CASE
        WHEN payer.owner = $2 AND payee.owner = $2 THEN 'within'
        WHEN payee.owner = $2 THEN 'in'
        WHEN payer.owner = $2 THEN 'out'
        WHEN transfer.kind = 'refund' THEN 'in'
        ELSE 'out'
    END AS direction,
    transfer.amount,
    (SELECT coalesce(sum(amount), 0)::bigint FROM transfer AS refund WHERE refund_of = transfer.id) AS refunded,
    transfer.currency,
    coalesce((SELECT state FROM payout_card WHERE payout_card.id = transfer.id), 'completed') AS status,
    side_name(payer, $2) AS "from",
    side_name(payee, $2) AS "to",
    transfer.reference,
    transfer.description,
    (
        SELECT psp_payment.id FROM psp_payment
        WHERE psp_payment.checkout = checkout.id AND verdict IN ('accepted', 'returning', 'returned')
        ORDER BY seen_at LIMIT 1
    ) AS provider_payment_id,
    millis(transfer.created_at) AS issued_at
FROM transfer
JOIN account AS payer ON payer.id = transfer.debit
JOIN account AS payee ON payee.id = transfer.credit
LEFT JOIN checkout ON checkout.id = coalesce(transfer.refund_of, transfer.id)
WHERE transfer.id = $1 AND $2 IN (payer.owner, payee.owner, checkout.owner)
