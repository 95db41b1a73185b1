-- $1 session, $2 id or none, $3 login or none
SELECT id, number, login, email, name, surname, cpf, telegram_id, roles
FROM account
WHERE EXISTS (SELECT FROM caller($1))
    AND (id = $2 OR folded(login) = folded($3))
    AND erased_at IS NULL
LIMIT 1
