-- $1 event, $2 fence, $3 outcome, $4 pause in milliseconds, $5 error, $6 events that follow
SELECT events.settle($1, $2, $3, $4, $5, $6)
