-- $1 names of the limits, $2 attempts that each allows, $3 windows in seconds
SELECT take_try($1, $2, $3)
