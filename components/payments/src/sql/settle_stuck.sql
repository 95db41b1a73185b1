-- $1 refund, $2 admin, $3 reason, $4 amount up to which one admin is enough
SELECT outcome, outcome = 'proposed' AS is_proposed FROM settle_stuck($1, $2, $3, $4) AS outcome
