-- $1 booking
SELECT owed($1)
