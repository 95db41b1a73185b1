-- $1 e-mail, $2 digest, $3 secret, $4 seconds, $5 address, $6 request id
-- A letter to nobody is no different from outside.
WITH found AS (
    SELECT id, email FROM account
    WHERE folded(email) = folded($1) AND disabled_at IS NULL AND erased_at IS NULL
), kept AS (
    INSERT INTO letter (digest, account, purpose, email, expires_at)
    SELECT $2, id, 'reset', email, now() + $4::bigint * interval '1 second' FROM found
), told AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'notify', 'user:' || id, jsonb_build_object(
        'user_id', id, 'template', 'password-reset',
        'params', jsonb_build_object('email', email, 'token', $3::text, 'minutes', $4 / 60))
    FROM found
)
INSERT INTO audit (what, account, address, request_id) SELECT 'reset-asked', id, $5, $6 FROM found
