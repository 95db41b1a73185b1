-- $1 withdrawal, $2 admin
SELECT card.* FROM pay_out($1, $2) AS card
