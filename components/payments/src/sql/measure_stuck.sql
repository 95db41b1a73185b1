SELECT kind, count(*) AS waiting, count(*) FILTER (WHERE is_alarming(it)) AS stuck,
    (extract(epoch FROM now() - min(first_at)))::bigint AS oldest_s
FROM stuck_refund AS it
WHERE resolved_at IS NULL
GROUP BY kind
ORDER BY kind
