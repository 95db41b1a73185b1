-- $1 code, $2 address, $3 request id
WITH used AS (
    DELETE FROM passcode WHERE code = $1 AND expires_at > now()
    RETURNING account, write_audit('passcode-used', account, NULL, $2, $3)
)
SELECT person.* FROM used JOIN account AS owner ON owner.id = used.account, person(owner)
WHERE owner.disabled_at IS NULL
