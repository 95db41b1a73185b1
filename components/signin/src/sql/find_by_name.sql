-- $1 login or e-mail, $2 network
SELECT person.*, account.password, account.seal, account.totp, account.backup_batch,
    EXISTS (
        SELECT FROM known_network
        WHERE known_network.account = account.id AND network = $2 AND seen_at > now() - interval '90 days'
    ) AS is_known_network
FROM account, person(account)
WHERE folded(account.login) = folded($1) OR folded(account.email) = folded($1)
