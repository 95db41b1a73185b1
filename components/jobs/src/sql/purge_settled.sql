-- $1 limit
-- A week is long enough to look up how an event ended.
DELETE FROM events.outbox
WHERE id IN (
    SELECT id FROM events.outbox
    WHERE state = 'done' AND settled_at < now() - interval '7 days'
    ORDER BY settled_at
    LIMIT $1
)
