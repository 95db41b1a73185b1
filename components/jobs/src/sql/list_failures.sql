-- $1 event
SELECT consumer, attempt, millis(failed_at) AS failed_at, error
FROM events.failure
WHERE event = $1
ORDER BY failed_at DESC
LIMIT 100
