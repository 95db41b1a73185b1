-- $1 bill
SELECT
    id, status,
    (extract(epoch FROM approved_at) * 1000)::bigint AS approved_at,
    (extract(epoch FROM updated_at) * 1000)::bigint AS updated_at
FROM payment
WHERE bill = $1
ORDER BY id
