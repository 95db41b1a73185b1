-- $1 id, $2 owner, $3 name of the source, $4 name of the target, $5 amount
SELECT outcome, id, amount, credit_balance, (extract(epoch FROM created_at) * 1000)::bigint AS created_at
FROM send($1, $2, $3, $4, $5)
