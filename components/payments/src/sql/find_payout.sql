-- $1 withdrawal
SELECT id, owner, email, account, amount, currency, created_at, paid_at, paid_by, returned_at, returned_by
FROM payout_card
WHERE id = $1
