-- $1 withdrawal
SELECT card.* FROM payout_card AS card WHERE id = $1
