-- $1 part, $2 what the PSP said
SELECT note_refused_part($1, $2)
