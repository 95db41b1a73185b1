-- $1 limit
SELECT alert_stuck($1)
