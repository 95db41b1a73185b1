-- $1 code, $2 user, $3 network or null
SELECT it.outcome, shown.* FROM look_up_promocode($1, $2, $3) AS it
CROSS JOIN LATERAL show_promocode(it.known) AS shown
