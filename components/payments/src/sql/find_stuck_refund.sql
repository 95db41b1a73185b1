-- $1 refund
SELECT it.id, it.kind, it.payment, it.amount, it.currency, it.refusal, it.tries, is_alarming(it) AS is_stuck,
    it.resolution, millis(it.first_at) AS first_at, millis(it.last_at) AS last_at, it.description
FROM stuck_refund AS it
WHERE it.id = $1
