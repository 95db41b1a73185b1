-- $1 owner
SELECT commission_of($1)
