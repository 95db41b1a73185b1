-- $1 refund, $2 admin
SELECT note_retry($1, $2)
