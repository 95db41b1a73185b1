-- $1 session, $2 address, $3 request id, $4 code, $5 seconds
-- No row comes back when another account holds the same digits right now.
INSERT INTO passcode AS held (code, account, expires_at)
SELECT $4, me.id, now() + $5::bigint * interval '1 second' FROM caller($1) AS me
ON CONFLICT (code) DO UPDATE SET account = excluded.account, expires_at = excluded.expires_at
WHERE held.expires_at <= now()
RETURNING millis(expires_at) AS valid_until, write_audit('passcode-issued', account, $1, $2, $3)
