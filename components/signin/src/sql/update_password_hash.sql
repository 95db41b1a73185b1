-- $1 account, $2 the hash that was checked, $3 the same password under the present parameters
UPDATE account SET password = $3 WHERE id = $1 AND password = $2
