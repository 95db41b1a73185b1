-- $1 chat, $2 the sealed tokens that were spent, $3 the next ones, $4 lifetime of the token in seconds
-- Nothing changes when another person signed in there meanwhile.
UPDATE session SET sealed = $3, expires_at = now() + $4::bigint * interval '1 second'
WHERE chat = $1 AND sealed = $2
