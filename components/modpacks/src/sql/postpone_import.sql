-- $1 import, $2 fence
UPDATE import SET due_at = now() + least(attempts, 60) * interval '1 second'
WHERE id = $1 AND fence = $2 AND status = 'waiting'
