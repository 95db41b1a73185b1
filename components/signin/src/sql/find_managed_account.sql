-- $1 session, $2 login, $3 whether as an admin
SELECT person.*
FROM caller($1) AS me
    JOIN account ON folded(account.login) = folded($2) AND account.erased_at IS NULL AND manages(me, account, $3),
    person(account)
