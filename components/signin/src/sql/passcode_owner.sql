-- $1 code
SELECT person.* FROM passcode JOIN account AS owner ON owner.id = passcode.account, person(owner)
WHERE code = $1 AND expires_at > now() AND owner.disabled_at IS NULL
