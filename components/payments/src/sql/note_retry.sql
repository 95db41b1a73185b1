-- $1 refund, $2 admin, $3 reason
SELECT note_retry($1, $2, $3)
