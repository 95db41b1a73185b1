-- $1 event, $2 consumer, $3 the admin
SELECT events.discard($1, $2, $3) AS outcome
