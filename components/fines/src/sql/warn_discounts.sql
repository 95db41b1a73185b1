-- $1 limit
-- Tells drivers that a discount ends within two days, or that the next part is to be paid until then, once each.
WITH due AS (
    SELECT fine.id
    FROM fine
    WHERE status = 'issued' AND hidden_at IS NULL AND warned_at IS NULL
        AND next_step_at BETWEEN now() AND now() + interval '2 days' AND (noted_due < amount OR plan_parts IS NOT NULL)
        AND (plan_parts IS NULL OR next_step_at = plan_until)
        AND issued_at < now() - interval '1 hour'
    ORDER BY next_step_at
    LIMIT $1::bigint
    FOR NO KEY UPDATE SKIP LOCKED
), warned AS (
    UPDATE fine SET warned_at = now()
    FROM due
    WHERE fine.id = due.id
    RETURNING fine.*
)
SELECT CASE WHEN plan_parts IS NULL
    THEN tell_driver(ROW (warned.*)::fine, 'discount_ending', noted_due)
    ELSE tell_driver(
        ROW (warned.*)::fine, 'fine_part_ending', part_amount(plan_total, plan_parts, payments + 1)
    )
END
FROM warned
