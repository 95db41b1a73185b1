-- $1 limit
SELECT tell_ready($1)
