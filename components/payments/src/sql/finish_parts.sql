-- $1 checkout, $2 the payment's id at the PSP, $3 how much of it has gone back, as the PSP says
SELECT finish_parts($1, $2, $3)
