-- $1 owner
SELECT * FROM webhook_card WHERE owner = $1 ORDER BY created_at
