-- $1 event
-- A dead one takes its old place in the order of its aggregate; one that waits for its next attempt has it now.
WITH requeued AS (
    UPDATE events.outbox
    SET state = 'waiting',
        attempts = CASE state WHEN 'dead' THEN 0 ELSE attempts END,
        due_at = now(),
        settled_at = NULL
    WHERE id = $1 AND (state = 'dead' OR state = 'waiting' AND unsettled = 0)
    RETURNING id
)
SELECT EXISTS (SELECT FROM requeued) FROM events.outbox WHERE id = $1
