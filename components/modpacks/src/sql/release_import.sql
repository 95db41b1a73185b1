-- $1 import, $2 fence
UPDATE import SET due_at = now() WHERE id = $1 AND fence = $2 AND status = 'waiting'
