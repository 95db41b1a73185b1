-- $1 issuer, $2 subject
SELECT person.*, owner.password, owner.seal, owner.totp, owner.backup_batch, false AS is_known_network
FROM foreign_identity JOIN account AS owner ON owner.id = foreign_identity.account, person(owner)
WHERE issuer = $1 AND subject = $2 AND owner.disabled_at IS NULL
