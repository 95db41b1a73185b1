-- $1 id
UPDATE webhook SET failing_since = NULL, failures = 0, rests_until = NULL WHERE id = $1 AND failures > 0
