-- $1 gates, $2 their limits, $3 their windows in seconds
SELECT take_try($1, $2, $3)
