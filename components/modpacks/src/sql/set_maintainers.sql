-- $1 pack, $2 viewer, $3 roles, $4 ids of users, $5 their logins
SELECT set_maintainers($1, $2, $3, $4, $5) AS outcome
