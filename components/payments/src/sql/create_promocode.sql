-- $1 id, $2 admin, $3 chosen code or null, $4 code otherwise, $5 amount, $6 currency, $7 uses,
-- $8 uses per user or null, $9 expiry (ms) or null, $10 worth up to which one admin is enough, $11 reason or null
SELECT shown.*
FROM issue_promocode($1, $2, $3, $4, $5, $6, $7, $8, moment($9), $10, $11) AS it
CROSS JOIN LATERAL show_coined(it) AS shown
