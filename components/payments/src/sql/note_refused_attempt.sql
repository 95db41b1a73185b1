-- $1 checkout, $2 payment at the PSP, $3 what the PSP said, $4 what it still holds, if it says so
SELECT note_refused_attempt($1, $2, $3, $4)
