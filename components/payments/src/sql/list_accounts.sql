-- $1 owner
SELECT id, balance, name, type, owner, millis(created_at) AS created_at
FROM account
WHERE kind = 'further' AND owner = $1
ORDER BY account.created_at, id
-- Its clients ask for no page; an answer is read into one instance's memory.
LIMIT 5000
