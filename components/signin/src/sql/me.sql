-- $1 session
SELECT id, number, login, email, name, surname, cpf, telegram_id, roles FROM caller($1)
