-- $1 id
SELECT id, name, owner, cents FROM item WHERE id = $1
