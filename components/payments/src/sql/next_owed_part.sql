-- $1 checkout
SELECT id, payment, amount FROM part_refund WHERE checkout = $1 AND status = 'owed' ORDER BY gone LIMIT 1
