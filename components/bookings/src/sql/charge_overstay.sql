-- $1 booking, $2 what the driver can pay
-- The owner has earned the money: nothing holds it.
SELECT outcome, payment, due, payee, '[]'::jsonb AS earlier, '[]'::jsonb AS refunds, millis(now()) AS until, shown.*
FROM charge_overstay($1, $2)
CROSS JOIN LATERAL show_booking(subject) AS shown
