-- $1 id, $2 kind, $3 aggregate, $4 payload
-- A copy of the request is recognized by its id for two days or more; its idempotency key is deleted after one.
WITH first AS (
    INSERT INTO heard (digest, heard_at) VALUES ('event ' || $1::uuid, now() + interval '2 days')
    ON CONFLICT (digest) DO NOTHING
    RETURNING 1
)
INSERT INTO events.outbox (id, kind, aggregate, payload)
SELECT $1, $2, $3, $4 FROM first
