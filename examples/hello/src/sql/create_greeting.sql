-- $1 name
-- The event is written by the statement that makes it true.
WITH created AS (
    INSERT INTO greeting (name) VALUES ($1) RETURNING *
), told AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'hello:greeted', 'greeting:' || id, jsonb_build_object('id', id) FROM created
)
SELECT id, 'Hello, ' || name AS text, millis(greeted_at) AS greeted_at, heard_at IS NOT NULL AS is_heard
FROM created
