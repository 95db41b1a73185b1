-- $1 owner, $2 currency of the main account, $3 name of a further account instead, $4 moment (ms)
-- Clients see moments in milliseconds, so everything in the millisecond of the moment counts as before it.
WITH mine AS (
    SELECT id FROM account
    WHERE owner = $1 AND CASE WHEN $3::text IS NULL THEN kind = 'main' AND currency = $2 ELSE kind = 'further' AND name = $3 END
), last AS (
    (
        SELECT seq, debit_balance AS balance FROM transfer
        WHERE debit = (SELECT id FROM mine) AND created_at < moment($4::bigint + 1)
        ORDER BY seq DESC LIMIT 1
    )
    UNION ALL
    (
        SELECT seq, credit_balance FROM transfer
        WHERE credit = (SELECT id FROM mine) AND created_at < moment($4::bigint + 1)
        ORDER BY seq DESC LIMIT 1
    )
)
SELECT coalesce((SELECT balance FROM last ORDER BY seq DESC LIMIT 1), 0)
WHERE $3::text IS NULL OR EXISTS (SELECT FROM mine)
