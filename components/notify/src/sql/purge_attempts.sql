-- $1 limit
DELETE FROM attempt
WHERE id IN (
    SELECT id FROM attempt WHERE made_at < now() - interval '7 days' ORDER BY made_at LIMIT $1::bigint
    FOR UPDATE SKIP LOCKED
)
