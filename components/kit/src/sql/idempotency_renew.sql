-- $1 caller, $2 key, $3 fence
UPDATE idempotency_key SET leased_until = now() + interval '5 seconds'
WHERE caller = $1 AND key = $2 AND fence = $3 AND status IS NULL
