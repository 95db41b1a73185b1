-- $1 place, $2 caller, $3 caller is admin, $4 plate
SELECT outcome, shown.*
FROM check_out($1, $2, $3, $4)
CROSS JOIN LATERAL show_booking(subject) AS shown
