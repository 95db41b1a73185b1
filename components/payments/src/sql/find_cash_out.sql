-- $1 withdrawal, $2 owner
SELECT card.* FROM payout_card AS card WHERE id = $1 AND owner = $2 AND destination IS NOT NULL
