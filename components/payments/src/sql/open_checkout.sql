-- $1 id, $2 opener, $3 reference, $4 customer, $5 owner, $6 amount, $7 currency, $8 description,
-- $9 e-mail or null, $10 method, $11 account to credit or null for sales, $12 expiry (ms)
SELECT outcome, (card).*
FROM open_checkout($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, moment($12))
