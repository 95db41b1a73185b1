-- $1 consumer, $2 lane, or null for all of them
SELECT events.resume_lanes($1, $2)
