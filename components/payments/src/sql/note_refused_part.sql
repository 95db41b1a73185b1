-- $1 part, $2 the PSP's reason
SELECT note_refused_part($1, $2)
