-- $1 telegram id
SELECT * FROM accounts.list_people_of_chat($1)
