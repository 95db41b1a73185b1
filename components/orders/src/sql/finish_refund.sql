-- $1 refund
UPDATE refund SET status = 'done' WHERE id = $1
