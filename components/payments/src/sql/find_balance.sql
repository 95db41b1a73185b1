-- $1 owner, $2 currency of the main account, $3 name of a further account instead, $4 moment (ms)
-- Clients see moments in milliseconds, so everything in the millisecond of the moment counts as before it.
WITH mine AS (
    SELECT id FROM account
    WHERE owner = $1 AND CASE WHEN $3::text IS NULL THEN kind = 'main' AND currency = $2 ELSE kind = 'further' AND name = $3 END
)
SELECT coalesce((SELECT leg.balance FROM mine CROSS JOIN LATERAL legs(mine.id, 1, NULL, NULL, $4::bigint + 1) AS leg), 0)
WHERE $3::text IS NULL OR EXISTS (SELECT FROM mine)
