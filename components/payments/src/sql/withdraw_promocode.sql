-- $1 code, $2 admin
SELECT withdraw_promocode_by_hand($1, $2) AS outcome
