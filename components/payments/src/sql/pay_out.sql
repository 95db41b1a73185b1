-- $1 withdrawal, $2 admin
SELECT id, owner, email, account, amount, currency, created_at, paid_at, paid_by, returned_at, returned_by
FROM pay_out($1, $2)
