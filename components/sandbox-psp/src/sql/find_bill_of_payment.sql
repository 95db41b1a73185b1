-- $1 payment
SELECT
    id, kind, reference, title, amount, currency, notification_url, back_url,
    (extract(epoch FROM expires_at) * 1000)::bigint AS expires_at
FROM bill
WHERE id = (SELECT bill FROM payment WHERE payment.id = $1)
