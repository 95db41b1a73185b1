-- $1 user
WITH preference AS (
    DELETE FROM preference WHERE user_id = $1
)
DELETE FROM webhook WHERE owner = $1
