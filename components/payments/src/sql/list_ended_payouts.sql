-- $1 limit, $2 offset, $3 after this seq or null
-- Withdrawals that were paid out, returned or cancelled, the newest first.
SELECT card.*
FROM (
    SELECT withdrawal FROM payout
    WHERE (paid_at IS NOT NULL OR returned_at IS NOT NULL) AND ($3::bigint IS NULL OR seq < $3)
    ORDER BY seq DESC
    LIMIT $1::bigint OFFSET $2::bigint
) AS wanted
JOIN payout_card AS card ON card.id = wanted.withdrawal
ORDER BY card.seq DESC
