-- $1 user, $2 seq of the event that says so
SELECT forget_holder($1, $2)
