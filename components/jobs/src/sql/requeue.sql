-- $1 event
-- It takes its old place in the order of its aggregate.
WITH requeued AS (
    UPDATE events.outbox SET state = 'waiting', attempts = 0, due_at = now(), settled_at = NULL
    WHERE id = $1 AND state = 'dead'
    RETURNING id
)
SELECT EXISTS (SELECT FROM requeued) FROM events.outbox WHERE id = $1
