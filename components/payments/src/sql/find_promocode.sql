-- $1 code
SELECT
    code,
    amount,
    max_uses,
    used_count,
    max_uses_per_user,
    (extract(epoch FROM expires_at) * 1000)::bigint AS expires_at,
    used_count < max_uses AND (expires_at IS NULL OR expires_at > now()) AS is_active
FROM promocode
WHERE code = $1
