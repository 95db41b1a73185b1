-- $1 charge
SELECT EXISTS (SELECT FROM charge WHERE id = $1)
