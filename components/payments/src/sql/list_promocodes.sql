-- $1 limit, $2 offset
-- A code that a user paid for is money: an admin sees where it begins.
SELECT
    CASE WHEN EXISTS (SELECT FROM transfer WHERE transfer.id = it.id) THEN left(shown.code, 4) || '************'
        ELSE shown.code END AS code,
    shown.amount, shown.max_uses, shown.used_count, shown.remaining_uses, shown.max_uses_per_user, shown.expires_at,
    shown.is_active
FROM promocode AS it
CROSS JOIN LATERAL show_promocode(it) AS shown
ORDER BY it.created_at DESC, it.id
LIMIT $1 OFFSET $2
