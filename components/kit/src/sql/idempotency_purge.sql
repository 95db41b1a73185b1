-- $1 limit
DELETE FROM idempotency_key
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM idempotency_key WHERE claimed_at < now() - interval '1 day'
    ORDER BY claimed_at LIMIT $1::bigint FOR UPDATE SKIP LOCKED
))
