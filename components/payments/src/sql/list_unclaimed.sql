-- $1 limit, $2 offset, $3 the person who left it, or null
SELECT owner, currency, amount, millis(updated_at) AS updated_at
FROM unclaimed
WHERE amount > 0 AND ($3::uuid IS NULL OR owner = $3)
ORDER BY unclaimed.updated_at, owner
LIMIT $1 OFFSET $2
