-- $1 checkout, $2 payment at the PSP, $3 the PSP's reason, $4 the rest that it still holds, if it says so
SELECT note_refused_attempt($1, $2, $3, $4)
