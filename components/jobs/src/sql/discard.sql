-- $1 event, $2 by whom
-- It stays for as long as those that were carried out, and says who gave it up.
WITH discarded AS (
    UPDATE events.outbox SET state = 'done', settled_at = now()
    WHERE id = $1 AND state = 'dead'
    RETURNING id, fence, attempts
), noted AS (
    INSERT INTO events.failure (event, fence, attempt, error)
    SELECT id, fence + 1, attempts, 'discarded by ' || $2::uuid FROM discarded
    ON CONFLICT DO NOTHING
)
SELECT EXISTS (SELECT FROM discarded) FROM events.outbox WHERE id = $1
