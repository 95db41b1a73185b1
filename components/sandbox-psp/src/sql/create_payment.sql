-- $1 bill, $2 status
-- No row when the bill is paid or its time is over.
WITH made AS (
    INSERT INTO payment AS it (bill, status, approved_at)
    SELECT id, $2, CASE WHEN $2 = 'approved' THEN now() END FROM bill
    WHERE id = $1
        AND (expires_at IS NULL OR expires_at > now())
        AND NOT EXISTS (SELECT FROM payment WHERE bill = $1 AND status IN ('approved', 'refunded'))
    RETURNING it
)
SELECT shown.* FROM made CROSS JOIN LATERAL show_payment(it) AS shown
