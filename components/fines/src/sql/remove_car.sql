-- $1 plate, $2 owner
UPDATE car SET listed = false, owner = NULL WHERE plate = $1 AND owner = $2 AND listed
