-- $1 user, $2 limit of packs
SELECT erase($1, $2)
