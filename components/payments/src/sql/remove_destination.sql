-- $1 destination, $2 owner
SELECT remove_destination($1, $2) AS outcome
