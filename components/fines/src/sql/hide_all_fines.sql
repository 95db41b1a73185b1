-- $1 caller, an admin
SELECT hide_fine(id, $1, true) FROM fine WHERE hidden_at IS NULL ORDER BY id
