-- $1 shop, $2 caller, $3 caller is admin, $4 products
SELECT outcome, created, changed
FROM import_menu($1, $2, $3, $4)
