-- $1 message, $2 kind, $3 aggregate, $4 payload
-- Every copy hears a message at the same moment. What somebody says again later is meant again,
-- but for what we said ourselves: signin announces users whom it has told us of already.
WITH first AS (
    INSERT INTO heard (digest) VALUES (encode(sha256($1), 'hex'))
    ON CONFLICT (digest) DO UPDATE SET heard_at = now()
    WHERE heard.heard_at < now() - interval '5 seconds'
    RETURNING 1
)
INSERT INTO events.outbox (kind, aggregate, payload)
SELECT $2, $3, $4 FROM first
WHERE NOT EXISTS (
    SELECT FROM events.outbox
    WHERE kind = 'user:created' AND kind = $2 AND aggregate = $3 AND payload = $4
)
