-- $1 event
SELECT attempt, (extract(epoch FROM failed_at) * 1000)::bigint AS failed_at, error
FROM events.failure
WHERE event = $1
ORDER BY fence DESC
LIMIT 100
