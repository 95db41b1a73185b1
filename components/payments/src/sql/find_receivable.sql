-- $1 receivable
SELECT receivable.id, receivable.owner, holder.email, receivable.currency, receivable.amount, receivable.settled,
    receivable.written_off, receivable.checkout, millis(receivable.created_at) AS created_at
FROM receivable
JOIN holder ON holder.id = receivable.owner
WHERE receivable.id = $1
