-- $1 bill
SELECT refund.id, refund.payment, refund.amount
FROM refund
JOIN payment ON payment.id = refund.payment
WHERE payment.bill = $1
ORDER BY refund.id
