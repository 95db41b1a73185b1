-- $1 the erased user, $2 currency, $3 the claimant, $4 admin, $5 reason, $6 amount up to which one admin is enough
SELECT outcome, outcome = 'proposed' AS is_proposed FROM hand_over($1, $2, $3, $4, $5, $6) AS outcome
