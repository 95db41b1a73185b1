-- $1 limit, $2 offset
-- Receivables that are not settled, the oldest first.
SELECT receivable.id, receivable.owner, holder.email, receivable.currency, receivable.amount, receivable.settled,
    receivable.written_off, receivable.checkout, millis(receivable.created_at) AS created_at
FROM (
    SELECT * FROM receivable
    WHERE settled + written_off < amount
    ORDER BY created_at, id
    LIMIT $1::bigint OFFSET $2::bigint
) AS receivable
JOIN holder ON holder.id = receivable.owner
ORDER BY receivable.created_at, receivable.id
