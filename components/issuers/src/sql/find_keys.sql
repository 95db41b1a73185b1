-- $1 issuer
SELECT jwks::text AS jwks, coalesce(extract(epoch FROM now() - fetched_at), 0)::bigint AS age_s
FROM issuer_keys WHERE issuer = $1 AND jwks IS NOT NULL
