-- $1 blob
DELETE FROM blob WHERE id = $1 AND status = 'dropping'
