-- $1 limit
SELECT expire_orders($1)
