-- $1 limit, $2 offset
SELECT owner, currency, amount, millis(updated_at) AS updated_at
FROM unclaimed
WHERE amount > 0
ORDER BY unclaimed.updated_at, owner
LIMIT $1 OFFSET $2
