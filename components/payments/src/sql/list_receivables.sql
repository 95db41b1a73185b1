-- $1 limit, $2 offset
-- What users still owe, the oldest first.
SELECT receivable.id, receivable.owner, holder.email, receivable.currency, receivable.amount, receivable.settled,
    receivable.written_off, receivable.checkout, millis(receivable.created_at) AS created_at
FROM receivable
JOIN holder ON holder.id = receivable.owner
WHERE receivable.settled + receivable.written_off < receivable.amount
ORDER BY receivable.created_at, receivable.id
LIMIT $1 OFFSET $2
