-- $1 id
UPDATE greeting SET heard_at = now() WHERE id = $1 AND heard_at IS NULL
