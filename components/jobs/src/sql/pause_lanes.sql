-- $1 consumer, $2 lane, or null for all of them, $3 the admin
SELECT events.pause_lanes($1, $2, $3)
