-- $1 issuer, $2 seconds between two requests
-- A row comes back when the issuer may be asked now.
INSERT INTO issuer_keys AS held (issuer, tried_at) VALUES ($1, now())
ON CONFLICT (issuer) DO UPDATE SET tried_at = now()
WHERE held.tried_at < now() - $2::bigint * interval '1 second'
RETURNING issuer
