-- $1 id
SELECT * FROM events.entry WHERE id = $1
