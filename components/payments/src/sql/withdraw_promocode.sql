-- $1 code, $2 admin, $3 reason
SELECT withdraw_promocode_by_hand($1, $2, $3) AS outcome
