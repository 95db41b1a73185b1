-- $1 import, $2 fence, $3 version
UPDATE import SET version_id = $3, attempts = 0, due_at = now() + interval '3 minutes'
WHERE id = $1 AND fence = $2 AND status = 'waiting'
