-- $1 id, $2 kind, $3 idempotency key or null, $4 reference, $5 title, $6 amount, $7 currency,
-- $8 notification url, $9 back url or null, $10 expiry (ms) or null
-- The update changes nothing; it makes the statement return the first bill of that key.
WITH kept AS (
    INSERT INTO bill AS it
        (id, kind, asked_as, reference, title, amount, currency, notification_url, back_url, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, moment($10))
    ON CONFLICT (asked_as) DO UPDATE SET asked_as = excluded.asked_as
    RETURNING it
)
SELECT shown.* FROM kept CROSS JOIN LATERAL show_bill(it) AS shown
