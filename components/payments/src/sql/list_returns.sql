-- $1 limit, $2 offset
-- The oldest first: the newest are just being sent back.
SELECT payment AS id, checkout, reference, amount, currency, is_part, refusal, millis(since) AS owed_since,
    millis(visit_at) AS tried_again_at
FROM (
    SELECT psp_payment.id AS payment, checkout, amount, false AS is_part, NULL AS refusal, seen_at AS since
    FROM psp_payment
    WHERE verdict = 'returning'
    UNION ALL
    SELECT payment, checkout, amount, true, refusal, created_at
    FROM part_refund
    WHERE status = 'owed'
) AS owed
JOIN (SELECT id, reference, currency, visit_at FROM checkout) AS it ON it.id = owed.checkout
ORDER BY since, payment, is_part, amount
LIMIT $1 OFFSET $2
