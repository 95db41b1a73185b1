-- $1 session, $2 address, $3 request id, $4 id, $5 number, $6 login, $7 e-mail, $8 whether it is proven, $9 name,
-- $10 surname, $11 cpf, $12 telegram id, $13 password hash, $14 roles
SELECT import_account($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) AS outcome
