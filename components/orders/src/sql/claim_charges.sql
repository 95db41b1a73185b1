-- $1 limit
-- Charges without a recorded answer, and payments at the provider that have to be called off. The pause before
-- the next try is the age of the charge. Another sweep skips rows that this one has locked.
WITH due AS (
    SELECT id
    FROM charge
    WHERE status IN ('opening', 'open') AND due_at <= now()
    ORDER BY due_at
    LIMIT $1::bigint
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE charge SET due_at = now() + least(now() - created_at, interval '5 minutes')
    FROM due
    WHERE charge.id = due.id
    RETURNING charge.id, charge.kind, charge.status, charge.order_id
)
SELECT claimed.id AS charge_id, claimed.kind, claimed.status = 'open' AS is_open,
    customer_order.status NOT IN ('created', 'requested') OR customer_order.expires_at <= now() AS is_over,
    customer_order.email, shown.*
FROM claimed
JOIN customer_order ON customer_order.id = claimed.order_id
CROSS JOIN LATERAL show_order(customer_order) AS shown
