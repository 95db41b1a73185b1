-- $1 limit
DELETE FROM heard
WHERE digest IN (
    SELECT digest FROM heard WHERE heard_at < now() - interval '5 minutes' ORDER BY heard_at LIMIT $1
)
