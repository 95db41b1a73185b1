-- $1 limit
SELECT coalesce(max(events.park_kind(kind, $1)), 0) >= $1 AS may_be_more FROM events.pause
