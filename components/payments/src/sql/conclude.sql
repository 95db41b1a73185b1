-- $1 checkout, $2 status and $3 verdict (or null) that the decision was based on, $4 new status, $5 new verdict,
-- $6 the payment's id at the PSP, $7 its state, $8 amount, $9 currency, $10 how much of it was refunded,
-- $11 days for which a user's deposit is held, $12 why, in the PSP's words
SELECT outcome, outcome = 'changed' AS is_stale, (card).*
FROM conclude($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
