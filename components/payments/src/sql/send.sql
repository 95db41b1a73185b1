-- $1 id, $2 owner, $3 name of the source, $4 name of the target, $5 amount
SELECT shown.outcome, shown.id, shown.amount, shown.created_at, shown.replayed
FROM send($1, $2, $3, $4, $5) AS it CROSS JOIN LATERAL show_movement(it) AS shown
