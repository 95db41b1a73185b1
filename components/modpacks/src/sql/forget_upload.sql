-- $1 upload
DELETE FROM upload WHERE id = $1 AND status = 'dropping'
