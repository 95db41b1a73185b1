-- $1 id, $2 number, $3 login, $4 e-mail, $5 cpf; all but one are null
SELECT person.* FROM account, person(account)
WHERE (account.id = $1 OR account.number = $2 OR folded(account.login) = folded($3)
        OR folded(account.email) = folded($4) OR account.cpf = $5)
    AND account.erased_at IS NULL
LIMIT 1
