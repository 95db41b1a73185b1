-- $1 limit
-- Tells drivers that a discount ends within two days, once a fine.
WITH due AS (
    SELECT fine.id
    FROM fine
    WHERE status = 'issued' AND hidden_at IS NULL AND warned_at IS NULL
        AND next_step_at BETWEEN now() AND now() + interval '2 days' AND noted_due < amount
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
SELECT tell_driver(ROW (warned.*)::fine, 'discount_ending', noted_due) FROM warned
