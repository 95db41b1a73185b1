-- $1 limit of appeals
-- Payments from wallets of fines whose appeal is open, and until when they are held. They are claimed every day and held for a
-- week, so that a claim whose host died is made up for.
WITH due AS (
    SELECT fine_id
    FROM appeal
    WHERE status = 'open' AND hold_due_at <= now()
    ORDER BY hold_due_at
    LIMIT $1::bigint
    FOR NO KEY UPDATE SKIP LOCKED
), claimed AS (
    UPDATE appeal SET hold_due_at = now() + interval '1 day'
    FROM due
    WHERE appeal.fine_id = due.fine_id
    RETURNING appeal.fine_id
)
SELECT charge.id AS charge_id, millis(greatest(held_until, now() + interval '7 days')) AS held_until
FROM claimed
JOIN charge ON subject = 'fine' AND subject_id = claimed.fine_id
WHERE charge.status = 'paid' AND method = 'wallet' AND NOT EXISTS (SELECT FROM refund WHERE charge_id = charge.id)
