-- $1 pack, $2 version, $3 viewer, $4 roles
SELECT delete_version($1, $2, $3, $4) AS outcome
