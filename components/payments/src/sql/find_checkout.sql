-- $1 id, $2 who asks, null for anybody
SELECT card.* FROM checkout_card AS card WHERE id = $1 AND ($2::uuid IS NULL OR owner = $2)
