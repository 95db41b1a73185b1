-- $1 limit
SELECT card.* FROM visit_checkouts($1) AS card
