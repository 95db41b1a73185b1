-- $1 checkout, $2 the id that the opener chose for this part, $3 amount
SELECT outcome, outcome = 'changed' AS is_stale, left_over, (card).* FROM refund_part($1, $2, $3)
