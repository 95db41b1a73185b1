-- $1 session, $2 id, $3 number, $4 login, $5 e-mail, $6 cpf; what is null is not asked for
SELECT person.* FROM look_up($2, $3, $4, $5, $6) AS found, person(found)
WHERE EXISTS (SELECT FROM caller($1))
