-- $1 plate, $2 owner, $3 new plate, $4 as written, $5 brand, $6 model
SELECT outcome, plate, brand, model FROM change_car($1, $2, $3, $4, $5, $6)
