-- $1 id, $2 owner, $3 name, $4 amount, $5 house account that it goes to
SELECT outcome, id, amount, credit_balance, (extract(epoch FROM created_at) * 1000)::bigint AS created_at
FROM withdraw($1, $2, $3, $4, $5)
