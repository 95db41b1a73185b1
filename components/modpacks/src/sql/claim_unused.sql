-- $1 limit
SELECT claim_unused($1)
