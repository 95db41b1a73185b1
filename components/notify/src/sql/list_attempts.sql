-- $1 webhook, $2 owner, $3 before, $4 limit
SELECT attempt.id, event, template, millis(made_at) AS made_at, status, error, took_ms
FROM attempt
JOIN webhook ON webhook.id = attempt.webhook
WHERE attempt.webhook = $1 AND owner = $2 AND ($3::bigint IS NULL OR attempt.id < $3)
ORDER BY attempt.id DESC
LIMIT $4
