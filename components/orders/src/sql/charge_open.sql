-- $1 charge, $2 payment status, $3 link, $4 QR code
SELECT outcome, shown.*
FROM charge_open($1, $2, $3, $4)
CROSS JOIN LATERAL show_order(subject) AS shown
