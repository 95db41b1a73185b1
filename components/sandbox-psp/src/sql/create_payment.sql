-- $1 bill, $2 status
-- Nothing when the bill is over or paid.
INSERT INTO payment (bill, status, approved_at)
SELECT id, $2, CASE WHEN $2 = 'approved' THEN now() END FROM bill
WHERE id = $1
    AND (expires_at IS NULL OR expires_at > now())
    AND NOT EXISTS (SELECT FROM payment WHERE bill = $1 AND status IN ('approved', 'refunded'))
RETURNING
    id, status,
    (extract(epoch FROM approved_at) * 1000)::bigint AS approved_at,
    (extract(epoch FROM updated_at) * 1000)::bigint AS updated_at
