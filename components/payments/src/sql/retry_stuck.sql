-- $1 refund
SELECT retry_stuck($1)
