-- $1 upload, $2 fence, $3 bytes read, $4 states of the digests
UPDATE upload SET read_to = $3, digests = $4, attempts = 0, due_at = now() + interval '15 seconds'
WHERE id = $1 AND fence = $2 AND status = 'verifying'
