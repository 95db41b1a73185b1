-- $1 user
WITH inbox AS (
    DELETE FROM inbox WHERE user_id = $1
), linked AS (
    DELETE FROM linked_chat WHERE user_id = $1
), preference AS (
    DELETE FROM preference WHERE user_id = $1
), tests AS (
    DELETE FROM webhook_test WHERE owner = $1
)
DELETE FROM webhook WHERE owner = $1
