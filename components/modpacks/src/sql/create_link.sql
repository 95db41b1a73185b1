-- $1 pack, $2 viewer, $3 roles, $4 digest of the secret, $5 label, $6 end in ms
SELECT outcome, id FROM create_link($1, $2, $3, $4, $5, moment($6))
