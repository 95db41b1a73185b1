-- $1 session, $2 id, $3 number, $4 login, $5 e-mail, $6 cpf; whatever is null is not asked for
SELECT person.* FROM account, person(account)
WHERE EXISTS (SELECT FROM caller($1))
    AND (account.id = $2 OR account.number = $3 OR folded(account.login) = folded($4)
        OR folded(account.email) = folded($5) OR account.cpf = $6)
    AND account.erased_at IS NULL
LIMIT 1
