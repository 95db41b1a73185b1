-- $1 owner, $2 currency of the main account, $3 name of a further account instead,
-- $4 before this seq or null, $5 limit, $6 from and $7 before which moment (ms) or null
-- Moments are compared as clients see them: in milliseconds, rounded.
WITH mine AS (
    SELECT id FROM account
    WHERE owner = $1 AND CASE WHEN $3::text IS NULL THEN kind = 'main' AND currency = $2 ELSE kind = 'further' AND name = $3 END
), leg AS (
    (
        SELECT seq, id, kind, currency, reference, description, created_at,
            -amount AS change, debit_balance AS balance, credit AS other
        FROM transfer
        WHERE debit = (SELECT id FROM mine) AND ($4::bigint IS NULL OR seq < $4)
            AND ($6::bigint IS NULL OR millis(created_at) >= $6)
            AND ($7::bigint IS NULL OR millis(created_at) < $7)
        ORDER BY seq DESC LIMIT $5::bigint
    )
    UNION ALL
    (
        SELECT seq, id, kind, currency, reference, description, created_at,
            amount AS change, credit_balance AS balance, debit AS other
        FROM transfer
        WHERE credit = (SELECT id FROM mine) AND ($4::bigint IS NULL OR seq < $4)
            AND ($6::bigint IS NULL OR millis(created_at) >= $6)
            AND ($7::bigint IS NULL OR millis(created_at) < $7)
        ORDER BY seq DESC LIMIT $5::bigint
    )
)
SELECT
    leg.seq,
    leg.id,
    leg.kind,
    leg.change AS amount,
    leg.balance,
    leg.currency,
    account.name AS counterparty,
    leg.reference,
    leg.description,
    millis(leg.created_at) AS created_at
FROM leg
JOIN account ON account.id = leg.other
ORDER BY leg.seq DESC
LIMIT $5
