-- $1 pack, $2 viewer, $3 roles
SELECT outcome FROM open_pack($1, $2, $3, 2)
