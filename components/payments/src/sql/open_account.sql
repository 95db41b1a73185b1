-- $1 id, $2 owner, $3 name, $4 type, $5 opening balance, $6 currency
SELECT outcome, id, balance, name, type, owner, millis(created_at) AS created_at
FROM open_account($1, $2, $3, $4, $5, $6)
