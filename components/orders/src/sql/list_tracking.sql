-- $1 order
SELECT id, order_id, status, actor, millis(created_at) AS created_at
FROM tracking
WHERE order_id = $1
ORDER BY id
LIMIT 1000
