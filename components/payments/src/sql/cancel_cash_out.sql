-- $1 withdrawal, $2 owner
SELECT cancel_cash_out($1, $2) AS outcome
