-- $1 order
-- A claim that it was paid makes the sweep ask soon, and not more often than every few seconds.
UPDATE charge SET due_at = least(due_at, now() + interval '5 seconds')
WHERE order_id = $1 AND status = 'open'
