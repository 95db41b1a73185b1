-- $1 message, $2 kind, $3 aggregate, $4 payload
-- Every copy hears a message at the same moment. What somebody says again later is meant again.
WITH first AS (
    INSERT INTO heard (digest) VALUES (encode(sha256($1), 'hex'))
    ON CONFLICT (digest) DO UPDATE SET heard_at = now()
    WHERE heard.heard_at < now() - interval '5 seconds'
    RETURNING 1
)
INSERT INTO events.outbox (kind, aggregate, payload) SELECT $2, $3, $4 FROM first
-- The platform tells of its own users on the same channel: they are here already.
WHERE NOT EXISTS (SELECT FROM events.outbox WHERE kind LIKE 'user:%' AND aggregate = $3 AND payload = $4)
