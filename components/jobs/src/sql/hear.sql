-- $1 message, $2 kind, $3 aggregate, $4 payload
-- Every copy hears a message, a busy one late. What is said again within two minutes is the same,
-- and what is said again later is meant again, but for what we said ourselves: signin announces
-- users whom it has told us of already, new and changed ones alike.
WITH first AS (
    INSERT INTO heard (digest) VALUES (encode(sha256($1), 'hex'))
    ON CONFLICT (digest) DO UPDATE SET heard_at = now()
    WHERE heard.heard_at < now() - interval '2 minutes'
    RETURNING 1
)
INSERT INTO events.outbox (kind, aggregate, payload)
SELECT $2, $3, $4 FROM first
WHERE $2 <> 'user:created' OR NOT EXISTS (
    SELECT FROM events.outbox
    WHERE kind IN ('user:created', 'user:updated') AND aggregate = $3 AND payload = $4
)
