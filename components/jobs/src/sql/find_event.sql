-- $1 id
SELECT * FROM events.entry WHERE id = $1 ORDER BY consumer
