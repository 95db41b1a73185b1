-- $1 refund
SELECT finish_refund($1)
