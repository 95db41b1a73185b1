-- $1 checkout, $2 status it was decided upon, $3 new status
SELECT outcome, (card).* FROM change_status($1, $2, $3)
