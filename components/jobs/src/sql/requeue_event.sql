-- $1 event
-- A dead event takes its old place in the order of its aggregate, with all its attempts. One that waits for
-- its next attempt has it now.
WITH requeued AS (
    UPDATE events.outbox
    SET state = 'waiting',
        attempts = CASE state WHEN 'dead' THEN 0 ELSE attempts END,
        due_at = now(),
        settled_at = NULL
    WHERE id = $1 AND (state = 'dead' OR state = 'waiting' AND unsettled = 0)
    RETURNING id
)
SELECT CASE WHEN EXISTS (SELECT FROM requeued) THEN 'requeued' ELSE 'not_waiting' END AS outcome
FROM events.outbox
WHERE id = $1
