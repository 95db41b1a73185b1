-- $1 category, $2 caller, $3 caller is admin, $4 name, $5 enabled, $6 deleted
SELECT outcome, (subject).id, (subject).name, (subject).enabled, (subject).shop_id
FROM change_category($1, $2, $3, $4, $5, $6)
