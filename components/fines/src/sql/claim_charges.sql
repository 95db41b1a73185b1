-- $1 limit
-- Charges whose request died between asking and recording the answer, and checkouts that are open. The pause before the
-- next try is the age of the charge, a minute at most. Another sweep skips rows that this one has locked.
WITH due AS (
    SELECT id
    FROM charge
    WHERE status = 'opening' AND due_at <= now()
    ORDER BY due_at
    LIMIT $1::bigint
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE charge SET due_at = now() + least(now() - created_at, interval '1 minute')
    FROM due
    WHERE charge.id = due.id
    RETURNING charge.*
)
SELECT shown.*, CASE claimed.subject
    WHEN 'fine' THEN fine_awaits(ROW (claimed.*)::charge)
    ELSE EXISTS (
        SELECT FROM ticket
        WHERE ticket.id = claimed.subject_id AND paid_at IS NULL AND removed_at IS NULL AND NOT is_extended(extends)
            AND still_extends(ticket)
    )
END AS is_wanted
FROM claimed
CROSS JOIN LATERAL show_charge(ROW (claimed.*)::charge) AS shown
