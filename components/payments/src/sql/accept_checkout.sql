-- $1 id, $2 the PSP's id of it, $3 link or null, $4 what to scan
SELECT outcome, (card).* FROM accept_checkout($1, $2, $3, $4)
