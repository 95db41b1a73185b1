-- $1 code
SELECT withdraw_promocode($1) AS outcome
