-- $1 charge
SELECT charge_void($1)
