-- $1 order
SELECT refund.id, refund.order_id, refund.charge_id, charge.kind, refund.amount
FROM refund
JOIN charge ON charge.id = refund.charge_id
WHERE charge.order_id = $1 AND refund.status = 'owed'
