-- $1 session, $2 cpf, $3 whether as an admin
-- Personal data is for the person, the account that registered them, and admins.
SELECT person.*, $3 OR found.id = me.id OR found.created_by = me.id AS is_shown
FROM caller($1) AS me, look_up(NULL, NULL, NULL, NULL, $2) AS found, person(found)
