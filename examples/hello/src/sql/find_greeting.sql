-- $1 id
SELECT id, 'Hello, ' || name AS text, millis(greeted_at) AS greeted_at, heard_at IS NOT NULL AS is_heard
FROM greeting
WHERE id = $1
