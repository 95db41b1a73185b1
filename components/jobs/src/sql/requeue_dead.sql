-- $1 kind, $2 consumer, $3 limit
SELECT events.requeue_dead($1, $2, $3)
