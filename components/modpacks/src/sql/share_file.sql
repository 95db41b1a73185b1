-- $1 file, $2 viewer, $3 roles, $4 restricted, $5 ids of users, $6 their logins, $7 roles to share with
SELECT share_file($1, $2, $3, $4, $5, $6, $7) AS outcome
