-- $1 login or e-mail
SELECT id, number, login, email, name, surname, cpf, telegram_id, roles,
    password, seal, disabled_at IS NOT NULL AS is_disabled
FROM account
WHERE folded(login) = folded($1) OR folded(email) = folded($1)
