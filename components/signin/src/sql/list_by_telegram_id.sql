-- $1 telegram id
SELECT person.* FROM account, person(account)
WHERE account.telegram_id = $1 AND account.erased_at IS NULL
ORDER BY account.number
LIMIT 100
