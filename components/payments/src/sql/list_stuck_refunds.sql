-- $1 limit, $2 offset
SELECT it.id, it.kind, it.payment, it.amount, it.currency, it.refusal, it.tries, is_alarming(it) AS is_stuck,
    it.resolution, millis(it.first_at) AS first_at, millis(it.last_at) AS last_at
FROM stuck_refund AS it
WHERE it.resolved_at IS NULL
ORDER BY it.first_at, it.id
LIMIT $1 OFFSET $2
