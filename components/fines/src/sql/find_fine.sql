-- $1 fine, $2 caller, $3 caller is admin
-- The fine, for the staff of its zone, its driver and its payers.
SELECT CASE
    WHEN fine.id IS NULL THEN 'unknown_fine'
    WHEN $3::boolean OR sees_fine(fine, $2)
        OR EXISTS (
            SELECT FROM charge
            WHERE subject = 'fine' AND subject_id = fine.id AND payer = $2 AND charge.status = 'paid'
        ) THEN 'shown'
    ELSE 'forbidden'
END AS outcome, shown.*
FROM (VALUES (1)) AS once
LEFT JOIN fine ON fine.id = $1 AND hidden_at IS NULL
CROSS JOIN LATERAL show_fine(fine) AS shown
