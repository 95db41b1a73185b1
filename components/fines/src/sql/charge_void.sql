-- $1 charge
UPDATE charge SET status = 'void' WHERE id = $1 AND status = 'opening'
