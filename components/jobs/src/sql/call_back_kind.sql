-- $1 kind
-- Events that stepped aside while the kind was paused. Those that are claimed keep their lease.
UPDATE events.outbox SET due_at = now()
WHERE kind = $1 AND state = 'waiting' AND unsettled = 0 AND due_at > now()
