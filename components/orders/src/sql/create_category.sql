-- $1 shop, $2 caller, $3 caller is admin, $4 name, $5 enabled
SELECT outcome, (subject).id, (subject).name, (subject).enabled, (subject).shop_id
FROM create_category($1, $2, $3, $4, $5)
