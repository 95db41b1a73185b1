-- $1 names of the limits
SELECT forgive_try($1)
