-- $1 id of the subject or null, $2 before this act or null, $3 limit
SELECT id, subject, about, act, stage, amount, currency, actor, reason, millis(acted_at) AS acted_at
FROM manual_act
WHERE ($1::text IS NULL OR about = $1) AND ($2::bigint IS NULL OR id < $2)
ORDER BY id DESC
LIMIT $3
