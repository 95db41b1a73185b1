-- $1 import, $2 fence, $3 status, $4 failure, $5 linked, $6 unpacked, $7 refused
UPDATE import SET status = $3, failure = $4, linked = $5, unpacked = $6, refused = $7, ended_at = now()
WHERE id = $1 AND fence = $2 AND status = 'waiting'
