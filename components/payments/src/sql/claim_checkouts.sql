-- $1 at most
SELECT card.* FROM visit_checkouts($1) AS card
