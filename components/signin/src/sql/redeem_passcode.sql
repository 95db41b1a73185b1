-- $1 code
WITH used AS (
    DELETE FROM passcode WHERE code = $1 AND expires_at > now() RETURNING account
)
SELECT person.* FROM used JOIN account AS owner ON owner.id = used.account, person(owner)
WHERE owner.disabled_at IS NULL
