-- $1 fine
-- The fine after a payment. The payment goes back when the fine was hidden or cancelled first.
SELECT CASE
    WHEN fine.hidden_at IS NOT NULL AND fine.payments = 0 THEN 'unknown_fine'
    WHEN fine.status = 'cancelled' THEN 'fine_cancelled'
    ELSE 'paid'
END AS outcome, shown.*
FROM fine
CROSS JOIN LATERAL show_fine(fine) AS shown
WHERE fine.id = $1
