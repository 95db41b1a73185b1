-- $1 user, $2 e-mail or null, $3 currency
SELECT note_holder($1, $2, $3)
