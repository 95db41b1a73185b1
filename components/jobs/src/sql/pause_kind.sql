-- $1 kind, $2 the admin
INSERT INTO events.pause (kind, paused_by) VALUES ($1, $2) ON CONFLICT (kind) DO NOTHING
