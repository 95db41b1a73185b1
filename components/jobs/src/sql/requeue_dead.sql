-- $1 kind
UPDATE events.outbox SET state = 'waiting', attempts = 0, due_at = now(), settled_at = NULL
WHERE state = 'dead' AND ($1::text IS NULL OR kind = $1)
