-- $1 withdrawal, $2 admin
SELECT return_payout($1, $2) AS outcome
