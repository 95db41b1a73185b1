-- $1 limit
SELECT events.purge_dead($1) >= $1 AS may_be_more FROM events.keep_days()
