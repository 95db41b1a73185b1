-- $1 payment, $2 amount or null for all that is left, $3 idempotency key or null
SELECT outcome, (made).id, (made).payment, (made).amount FROM refund_payment($1, $2, $3)
