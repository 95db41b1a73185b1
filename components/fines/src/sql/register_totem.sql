-- $1 id, $2 zone, $3 latitude, $4 longitude, $5 user of the passcode, $6 the user is admin
SELECT outcome, shown.*
FROM register_totem($1, $2, $3, $4, $5, $6)
CROSS JOIN LATERAL show_totem(subject) AS shown
