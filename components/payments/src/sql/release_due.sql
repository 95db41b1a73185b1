-- $1 limit
SELECT release_due($1)
