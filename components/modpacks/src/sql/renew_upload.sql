-- $1 upload, $2 fence
UPDATE upload SET due_at = now() + interval '15 seconds' WHERE id = $1 AND fence = $2 AND status = 'verifying'
