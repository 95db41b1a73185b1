-- $1 limit
-- Sessions that ended while a token of theirs may still be in use.
SELECT id::text FROM session
WHERE ended_at IS NOT NULL AND told_at IS NULL AND expires_at > now()
LIMIT $1
