-- $1 limit
-- Sessions that are over while a token of theirs may still be around.
SELECT id::text FROM session
WHERE ended_at IS NOT NULL AND told_at IS NULL AND expires_at > now()
LIMIT $1
