-- $1 id, $2 kind, $3 aggregate, $4 payload
-- The same request sent again is known by its id for longer than its key is.
WITH first AS (
    INSERT INTO heard (digest, heard_at) VALUES ('event ' || $1::uuid, now() + interval '2 days')
    ON CONFLICT (digest) DO NOTHING
    RETURNING 1
)
INSERT INTO events.outbox (id, kind, aggregate, payload)
SELECT $1, $2, $3, $4 FROM first
