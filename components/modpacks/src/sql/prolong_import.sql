-- $1 import, $2 fence, $3 version, $4 whether it came further
UPDATE import SET version_id = $3, attempts = CASE WHEN $4 THEN 0 ELSE attempts END, due_at = now() + interval '15 seconds'
WHERE id = $1 AND fence = $2 AND status = 'waiting'
