-- $1 pack, $2 viewer, $3 roles
SELECT delete_pack($1, $2, $3) AS outcome
