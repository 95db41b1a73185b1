-- $1 event
SELECT attempt, millis(failed_at) AS failed_at, error
FROM events.failure
WHERE event = $1
ORDER BY fence DESC
LIMIT 100
