-- $1 checkout
-- A part that is stuck keeps those after it waiting.
SELECT id, payment, amount
FROM (SELECT id, payment, amount FROM part_refund WHERE checkout = $1 AND status = 'owed' ORDER BY gone LIMIT 1) AS next
WHERE NOT is_stuck(next.id::text)
