-- $1 checkout, $2 status that the decision was based on, $3 new status
SELECT outcome, outcome = 'changed' AS is_stale, (card).* FROM change_status($1, $2, $3)
