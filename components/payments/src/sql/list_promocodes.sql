-- $1 limit, $2 offset
-- A code that a user paid for is money: an admin sees where it begins.
SELECT
    CASE WHEN paid.id IS NOT NULL THEN left(shown.code, 4) || '************' ELSE shown.code END AS code,
    shown.amount, shown.max_uses, shown.used_count, shown.remaining_uses, shown.max_uses_per_user, shown.expires_at,
    shown.is_active
FROM (SELECT * FROM promocode ORDER BY created_at DESC, id LIMIT $1::bigint OFFSET $2::bigint) AS it
-- With OFFSET each is looked up: PostgreSQL would read all transfers.
LEFT JOIN LATERAL (SELECT id FROM transfer WHERE transfer.id = it.id OFFSET 0) AS paid ON true
CROSS JOIN LATERAL show_promocode(it::promocode) AS shown
ORDER BY it.created_at DESC, it.id
