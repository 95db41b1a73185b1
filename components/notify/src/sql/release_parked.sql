-- $1 webhook, $2 the moment from which on they are delivered, $3 limit
SELECT events.release_parked($1, moment($2), $3)
