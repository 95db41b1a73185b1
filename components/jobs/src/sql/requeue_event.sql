-- $1 event, $2 consumer
SELECT events.requeue($1, $2) AS outcome
