-- $1 charge
SELECT refund.id, charge_id, method, refund.amount, initcap(subject) || ' ' || subject_id AS description
FROM refund
JOIN charge ON charge.id = charge_id
WHERE charge_id = $1 AND refund.status = 'owed'
