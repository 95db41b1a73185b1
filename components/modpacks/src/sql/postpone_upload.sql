-- $1 upload, $2 fence
UPDATE upload SET due_at = now() + least(attempts, 60) * interval '1 second'
WHERE id = $1 AND fence = $2 AND status = 'verifying'
