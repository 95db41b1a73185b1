-- $1 sessions
UPDATE session SET told_at = now() WHERE id = ANY ($1::text[]::uuid[])
