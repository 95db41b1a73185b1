-- $1 pack, $2 viewer, $3 roles, $4 ids of users, $5 their logins, $6 roles to share with
SELECT share_pack($1, $2, $3, $4, $5, $6) AS outcome
