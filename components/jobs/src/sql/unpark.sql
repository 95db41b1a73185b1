-- $1 what it is parked for, $2 limit
SELECT events.unpark($1, $2)
