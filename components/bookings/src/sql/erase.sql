-- $1 user, $2 limit of bookings
SELECT forget($1, $2)
