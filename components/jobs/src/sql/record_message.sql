-- $1 message, $2 kind, $3 aggregate, $4 payload
-- Every copy hears every message, a busy one late: a message that is repeated within two minutes counts once.
-- Later it is a new one, except for users: signin announces them on Redis and has written an event of its own.
WITH first AS (
    INSERT INTO heard (digest) VALUES (encode(sha256($1), 'hex'))
    ON CONFLICT (digest) DO UPDATE SET heard_at = now()
    WHERE heard.heard_at < now() - interval '2 minutes'
    RETURNING 1
)
INSERT INTO events.outbox (kind, aggregate, payload)
SELECT $2, $3, $4 FROM first
WHERE $2 <> 'user:announced' OR NOT events.is_told($3, $4)
