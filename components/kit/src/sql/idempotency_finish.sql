-- $1 caller, $2 key, $3 status, $4 body
UPDATE idempotency_key SET status = $3, body = $4 WHERE caller = $1 AND key = $2
