-- $1 id, $2 number, $3 login, $4 e-mail, $5 cpf; all but one are null
SELECT * FROM accounts.find_person($1, $2, $3, $4, $5)
