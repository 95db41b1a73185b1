-- $1 pack, $2 viewer, $3 roles, $4 link
SELECT revoke_link($1, $2, $3, $4) AS outcome
