-- $1 caller, $2 key
DELETE FROM idempotency_key WHERE caller = $1 AND key = $2 AND status IS NULL
