-- $1 user, $2 at most so many bookings
SELECT forget($1, $2)
