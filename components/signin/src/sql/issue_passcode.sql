-- $1 session, $2 code, $3 seconds, $4 address, $5 request id
-- Nothing comes back when somebody else holds the same digits right now.
WITH issued AS (
    INSERT INTO passcode AS held (code, account, expires_at)
    SELECT $2, me.id, now() + $3::bigint * interval '1 second' FROM caller($1) AS me
    ON CONFLICT (code) DO UPDATE SET account = excluded.account, expires_at = excluded.expires_at
    WHERE held.expires_at <= now()
    RETURNING account, expires_at
), audited AS (
    INSERT INTO audit (what, account, session, address, request_id)
    SELECT 'passcode-issued', account, $1, $4, $5 FROM issued
)
SELECT (extract(epoch FROM expires_at) * 1000)::bigint AS valid_until FROM issued
