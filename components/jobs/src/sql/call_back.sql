-- $1 kind
-- What stood aside while the kind was paused. What is in hand is left there.
UPDATE events.outbox SET due_at = now()
WHERE kind = $1 AND state = 'waiting' AND unsettled = 0 AND due_at > now()
