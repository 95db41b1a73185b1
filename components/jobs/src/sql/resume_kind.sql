-- $1 kind
DELETE FROM events.pause WHERE kind = $1
