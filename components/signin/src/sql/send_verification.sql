-- $1 session, $2 digest, $3 secret, $4 seconds, $5 address, $6 request id
WITH kept AS (
    INSERT INTO letter (digest, account, purpose, email, expires_at)
    SELECT $2, me.id, 'verify', me.email, now() + $4::bigint * interval '1 second'
    FROM caller($1) AS me WHERE me.email IS NOT NULL AND me.email_verified_at IS NULL
    RETURNING account, email
), told AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'notify', 'user:' || account, jsonb_build_object(
        'user_id', account, 'template', 'verify-email',
        'params', jsonb_build_object('email', email, 'token', $3::text, 'minutes', $4 / 60))
    FROM kept
), audited AS (
    INSERT INTO audit (what, account, session, address, request_id)
    SELECT 'verification-asked', account, $1, $5, $6 FROM kept
)
SELECT account FROM kept
