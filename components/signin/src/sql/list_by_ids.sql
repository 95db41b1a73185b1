-- $1 ids
SELECT person.* FROM account, person(account)
WHERE account.id = ANY ($1::text[]::uuid[]) AND account.erased_at IS NULL
