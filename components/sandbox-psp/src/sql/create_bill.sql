-- $1 id, $2 kind, $3 idempotency key or null, $4 reference, $5 title, $6 amount, $7 currency,
-- $8 notification url, $9 back url or null, $10 expiry (ms) or null
-- The update changes nothing; it makes the first bill of that key come back.
INSERT INTO bill (id, kind, asked_as, reference, title, amount, currency, notification_url, back_url, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, to_timestamp($10::bigint / 1000.0))
ON CONFLICT (asked_as) DO UPDATE SET asked_as = excluded.asked_as
RETURNING
    id, kind, reference, title, amount, currency, notification_url, back_url,
    (extract(epoch FROM expires_at) * 1000)::bigint AS expires_at
