-- $1 id, $2 viewer, null for any
SELECT card.* FROM checkout_card AS card WHERE id = $1 AND ($2::uuid IS NULL OR owner = $2)
