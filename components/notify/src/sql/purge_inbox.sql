-- $1 limit
DELETE FROM inbox
WHERE id IN (
    SELECT id FROM inbox WHERE created_at < now() - interval '90 days' ORDER BY created_at LIMIT $1::bigint
    FOR UPDATE SKIP LOCKED
)
