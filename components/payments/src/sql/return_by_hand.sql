-- $1 checkout, $2 the payment's id at the PSP, $3 admin, $4 reason
SELECT outcome, outcome = 'changed' AS is_stale, (card).* FROM return_by_hand($1, $2, $3, $4)
