-- $1 user, $2 e-mail or null, $3 seq of the event that says so, $4 currency
SELECT note_holder($1, $2, $3, $4)
