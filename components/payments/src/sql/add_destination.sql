-- $1 id, $2 owner, $3 kind, $4 currency, $5 name of the holder, $6 account, $7 mask, $8 hours until it is usable
SELECT outcome, (card).* FROM add_destination($1, $2, $3, $4, $5, $6, $7, $8)
