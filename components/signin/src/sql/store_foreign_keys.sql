-- $1 issuer, $2 jwks
UPDATE foreign_keys SET jwks = $2, fetched_at = now() WHERE issuer = $1
