-- An event as admins see it, with the error of its last failed attempt.
CREATE OR REPLACE VIEW entry AS
SELECT
    id,
    seq,
    kind,
    aggregate,
    consumer,
    state,
    attempts,
    millis(due_at) AS due_at,
    millis(created_at) AS created_at,
    millis(settled_at) AS settled_at,
    payload,
    (SELECT error FROM failure WHERE event = outbox.id ORDER BY fence DESC LIMIT 1) AS last_error
FROM outbox;
