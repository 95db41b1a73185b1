-- $1 session
SELECT person.* FROM caller($1) AS me, person(me)
