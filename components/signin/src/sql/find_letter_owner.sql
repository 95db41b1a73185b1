-- $1 digest, $2 purpose
SELECT person.* FROM letter JOIN account AS owner ON owner.id = letter.account, person(owner)
WHERE letter.digest = $1 AND letter.purpose = $2 AND letter.expires_at > now()
    AND folded(owner.email) = folded(letter.email) AND owner.disabled_at IS NULL
