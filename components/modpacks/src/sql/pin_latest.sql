-- $1 pack, $2 viewer, $3 roles, $4 version
SELECT pin_latest($1, $2, $3, $4) AS outcome
