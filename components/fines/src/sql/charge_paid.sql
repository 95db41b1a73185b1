-- $1 charge
SELECT charge_paid($1) AS outcome
