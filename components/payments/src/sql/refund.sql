-- $1 id, $2 payment, $3 amount or null for the rest, $4 description
-- When nothing is refunded, `amount` is what is left.
SELECT outcome, id, amount, credit_balance, (extract(epoch FROM created_at) * 1000)::bigint AS created_at
FROM refund($1, $2, $3, $4)
