-- $1 file, $2 viewer, $3 roles
SELECT delete_file($1, $2, $3) AS outcome
