-- $1 caller, $2 key, $3 fence
-- Nothing was done: the key is free for any request.
DELETE FROM idempotency_key WHERE caller = $1 AND key = $2 AND fence = $3 AND status IS NULL
