-- $1 owner
SELECT id, balance, name, type, owner, (extract(epoch FROM created_at) * 1000)::bigint AS created_at
FROM account
WHERE kind = 'further' AND owner = $1
ORDER BY account.created_at, id
