-- $1 user, $2 limit of orders
SELECT forget($1, $2)
