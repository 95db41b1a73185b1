-- $1 caller, $2 key, $3 fence, $4 status, $5 body, $6 location
UPDATE idempotency_key SET status = $4, body = $5, location = $6, leased_until = NULL
WHERE caller = $1 AND key = $2 AND fence = $3 AND status IS NULL
