-- $1 limit
DELETE FROM heard
WHERE digest IN (
    SELECT digest FROM heard WHERE heard_at < now() - interval '1 minute' ORDER BY heard_at LIMIT $1
)
