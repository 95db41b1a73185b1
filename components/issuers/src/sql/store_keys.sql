-- $1 issuer, $2 jwks
UPDATE issuer_keys SET jwks = $2, fetched_at = now() WHERE issuer = $1
