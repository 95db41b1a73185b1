-- $1 owner, $2 limit, $3 offset, $4 after this seq or null
-- Each account contributes its newest transfers that could be on the page, without the one that opened it. A transfer
-- between two of the accounts appears once.
WITH recent AS (
    SELECT DISTINCT leg.id, leg.seq, leg.kind, abs(leg.change) AS amount, leg.created_at,
        CASE WHEN leg.change < 0 THEN mine.id ELSE leg.other END AS debit,
        CASE WHEN leg.change < 0 THEN leg.other ELSE mine.id END AS credit
    FROM account AS mine
    CROSS JOIN LATERAL legs(mine.id, $2::bigint + $3::bigint + 1, $4::bigint) AS leg
    WHERE mine.kind = 'further' AND mine.owner = $1 AND leg.kind <> 'opening'
)
SELECT
    recent.seq,
    recent.id,
    -- When the other side is a house account, the named account stands on both sides and the sign is the direction.
    CASE WHEN target.kind = 'house' THEN -recent.amount ELSE recent.amount END AS amount,
    CASE WHEN source.kind = 'house' THEN target.name ELSE source.name END AS from_name,
    CASE WHEN target.kind = 'house' THEN source.name ELSE target.name END AS to_name,
    from_holder.email AS from_email,
    to_holder.email AS to_email,
    millis(recent.created_at) AS created_at
FROM recent
JOIN account AS source ON source.id = recent.debit
JOIN account AS target ON target.id = recent.credit
LEFT JOIN holder AS from_holder ON from_holder.id = coalesce(source.owner, target.owner)
LEFT JOIN holder AS to_holder ON to_holder.id = coalesce(target.owner, source.owner)
ORDER BY recent.seq DESC
LIMIT $2 OFFSET $3
