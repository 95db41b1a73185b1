-- $1 owner, $2 currency of the main account, $3 name of a further account instead,
-- $4 before this seq or null, $5 limit, $6 from and $7 before which moment (ms) or null
SELECT
    leg.seq,
    leg.id,
    leg.kind,
    leg.change AS amount,
    leg.balance,
    leg.currency,
    other.name AS counterparty,
    leg.reference,
    leg.description,
    millis(leg.created_at) AS created_at
FROM account AS mine
CROSS JOIN LATERAL legs(mine.id, $5::bigint, $4::bigint, $6::bigint, $7::bigint) AS leg
JOIN account AS other ON other.id = leg.other
WHERE mine.owner = $1
    AND CASE WHEN $3::text IS NULL THEN mine.kind = 'main' AND mine.currency = $2
        ELSE mine.kind = 'further' AND mine.name = $3 END
ORDER BY leg.seq DESC
