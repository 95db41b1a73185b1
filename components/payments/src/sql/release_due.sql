-- $1 at most
SELECT release_due($1)
