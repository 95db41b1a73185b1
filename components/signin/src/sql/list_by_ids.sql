-- $1 ids
SELECT * FROM accounts.list_people($1)
