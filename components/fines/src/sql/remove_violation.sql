-- $1 code
UPDATE violation SET removed_at = now() WHERE code = $1 AND removed_at IS NULL
