-- $1 id, $2 user, $3 code, $4 amount, $5 currency
SELECT
    outcome,
    code,
    amount,
    max_uses,
    max_uses_per_user,
    (extract(epoch FROM expires_at) * 1000)::bigint AS expires_at
FROM generate_promocode($1, $2, $3, $4, $5)
