-- $1 import, $2 fence
UPDATE import SET due_at = now() + interval '15 seconds' WHERE id = $1 AND fence = $2 AND status = 'waiting'
