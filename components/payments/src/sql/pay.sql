-- $1 id, $2 payer, $3 payee, $4 amount, $5 currency, $6 reference, $7 description, $8 held until (ms)
SELECT outcome, id, amount, credit_balance, (extract(epoch FROM created_at) * 1000)::bigint AS created_at
FROM pay($1, $2, $3, $4, $5, $6, $7, to_timestamp($8::bigint / 1000.0))
