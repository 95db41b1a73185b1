-- $1 caller, $2 key, $3 fence
-- Something may have been done, by this request or by an earlier copy: the same request may claim the key at once,
-- another one may not.
UPDATE idempotency_key SET leased_until = '-infinity'
WHERE caller = $1 AND key = $2 AND fence = $3 AND status IS NULL
