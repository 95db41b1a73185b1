-- $1 plate, $2 as written, $3 owner, $4 by the shared guest, $5 brand, $6 model
SELECT outcome, plate, brand, model FROM register_car($1, $2, $3, $4, $5, $6)
