-- $1 at most
SELECT * FROM visit_checkouts($1)
