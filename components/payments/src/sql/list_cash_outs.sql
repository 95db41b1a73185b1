-- $1 owner, $2 whether only those that are not done, $3 before this seq or null, $4 limit
SELECT card.*
FROM (
    SELECT withdrawal FROM payout
    WHERE owner = $1 AND destination IS NOT NULL AND ($3::bigint IS NULL OR seq < $3)
        AND (NOT $2 OR (paid_at IS NULL AND returned_at IS NULL))
    ORDER BY seq DESC
    LIMIT $4
) AS wanted
JOIN payout_card AS card ON card.id = wanted.withdrawal
ORDER BY card.seq DESC
