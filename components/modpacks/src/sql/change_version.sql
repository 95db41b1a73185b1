-- $1 pack, $2 version, $3 viewer, $4 roles, $5 name, $6 channel, $7 version of the game, $8 loader, $9 its version,
-- $10 changelog, $11 dependencies
SELECT outcome, shown.*
FROM change_version($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
CROSS JOIN LATERAL show_version(subject, $3, $4, NULL) AS shown
