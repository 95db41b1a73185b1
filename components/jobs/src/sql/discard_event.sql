-- $1 event, $2 the admin
-- A discarded event is kept for as long as those that were carried out, and names the admin.
WITH discarded AS (
    UPDATE events.outbox SET state = 'done', settled_at = now()
    WHERE id = $1 AND state = 'dead'
    RETURNING id, fence, attempts
), noted AS (
    INSERT INTO events.failure (event, fence, attempt, error)
    SELECT id, fence + 1, attempts, 'discarded by ' || $2::uuid FROM discarded
    ON CONFLICT DO NOTHING
)
SELECT CASE WHEN EXISTS (SELECT FROM discarded) THEN 'discarded' ELSE 'not_dead' END AS outcome
FROM events.outbox
WHERE id = $1
