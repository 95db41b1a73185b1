-- $1 session, $2 limit, $3 offset
SELECT person.* FROM account, person(account)
WHERE EXISTS (SELECT FROM caller($1)) AND account.erased_at IS NULL
ORDER BY account.number
LIMIT $2 OFFSET $3
