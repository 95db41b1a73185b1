-- $1 name, $2 owner, $3 price
INSERT INTO item (name, owner, cents) VALUES ($1, $2, $3)
RETURNING id, name, owner, cents
