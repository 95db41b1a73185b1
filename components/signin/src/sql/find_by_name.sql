-- $1 login or e-mail
SELECT person.*, account.password, account.seal, account.totp, account.backup_batch
FROM account, person(account)
WHERE folded(account.login) = folded($1) OR folded(account.email) = folded($1)
