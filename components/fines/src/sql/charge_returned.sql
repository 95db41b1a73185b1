-- $1 charge
SELECT charge_returned($1) AS outcome
