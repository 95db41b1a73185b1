-- $1 id, $2 user, $3 code
SELECT outcome, id, amount, credit_balance, (extract(epoch FROM created_at) * 1000)::bigint AS created_at
FROM activate_promocode($1, $2, $3)
