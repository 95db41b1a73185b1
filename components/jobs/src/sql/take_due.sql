-- $1 names, $2 periods in seconds
INSERT INTO sweep (name, due_at)
SELECT name, now() + period_s * interval '1 second'
FROM unnest($1::text[], $2::bigint[]) AS wanted (name, period_s)
WHERE NOT EXISTS (SELECT FROM sweep WHERE sweep.name = wanted.name AND sweep.due_at > now())
ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at WHERE sweep.due_at <= now()
RETURNING name
