-- $1 checkout, $2 status that the decision was based on, $3 new status, $4 admin, $5 reason or null,
-- $6 amount up to which one admin is enough
SELECT outcome, outcome = 'changed' AS is_stale, outcome = 'proposed' AS is_proposed, (card).*
FROM change_status_by_hand($1, $2, $3, $4, $5, $6)
