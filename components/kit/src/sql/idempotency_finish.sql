-- $1 caller, $2 key, $3 status, $4 body, $5 location
UPDATE idempotency_key SET status = $3, body = $4, location = $5 WHERE caller = $1 AND key = $2
