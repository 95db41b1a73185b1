-- $1 reference or null, $2 customer or null, $3 viewer, null for any, $4 limit, $5 offset
SELECT card.* FROM checkout_card AS card
WHERE ($1::text IS NULL OR reference = $1)
    AND ($2::text IS NULL OR customer = $2)
    AND ($3::uuid IS NULL OR owner = $3)
ORDER BY created_at DESC, id
LIMIT $4 OFFSET $5
