-- $1 id, $2 admin, $3 chosen code or null, $4 code otherwise, $5 amount, $6 currency, $7 uses,
-- $8 uses per user or null, $9 expiry (ms) or null
SELECT
    outcome,
    code,
    amount,
    max_uses,
    max_uses_per_user,
    (extract(epoch FROM expires_at) * 1000)::bigint AS expires_at
FROM create_promocode($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9::bigint / 1000.0))
