-- $1 user
WITH cars AS (
    UPDATE car SET owner = NULL, listed = false, brand = NULL, model = NULL WHERE owner = $1
), roles AS (
    DELETE FROM zone_role WHERE user_id = $1
)
UPDATE ticket SET buyer = NULL WHERE buyer = $1
