-- $1 file, $2 limit, $3 offset
SELECT kind, payment, checkout, currency, booked, reported
FROM differences_of($1)
ORDER BY kind, payment
LIMIT $2 OFFSET $3
