-- $1 checkout, $2 payment at the PSP, $3 what the PSP said
SELECT note_refused_attempt($1, $2, $3)
